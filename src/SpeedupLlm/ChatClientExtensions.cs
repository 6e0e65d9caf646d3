using Microsoft.Extensions.AI;

namespace SpeedupLlm;

/// <summary>Puts experience around a chat client.</summary>
public static class ChatClientExtensions
{
    /// <summary>A client that answers as <paramref name="client"/> does, and cheaper the more it is used.</summary>
    /// <remarks>The new client owns the old one, as any <see cref="DelegatingChatClient"/> does. With dependency injection: <c>services.AddSpeedupLlm(_ =&gt; upstream)</c> of the package SpeedupLlm.DependencyInjection.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public static ExperiencedChatClient WithExperience(this IChatClient client, ExperienceOptions? options = null) => new(client, options);
}
