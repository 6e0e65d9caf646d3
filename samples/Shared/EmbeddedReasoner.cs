using Microsoft.Extensions.AI;
using SpeedupLlm.Transformer.Adapter;
using SpeedupLlm.Transformer.Formats;
using SpeedupLlm.Worlds;

namespace SpeedupLlm.Samples;

/// <summary>The model of the samples: small, and at home in the prices of invented firms. Put your own <see cref="IChatClient"/> in its place.</summary>
internal static class EmbeddedReasoner
{
    /// <summary>The world that it knows, which also knows what is right.</summary>
    public static IWorld World { get; } = WorldCatalogue.All[0];

    public static IChatClient Open() =>
        new ApprenticeChatClient(ModelFile.Load(Path.Combine(AppContext.BaseDirectory, "weights", "apprentice-1.safetensors")), new() { Understands = World.Understands });
}
