using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using SpeedupLlm.Transformer.Training;

namespace SpeedupLlm.Benchmarks;

/// <summary>The hash of weights after a little training. It must not change with <c>DOTNET_EnableAVX512F=0</c>, <c>DOTNET_EnableAVX2=0</c>, <c>DOTNET_EnableHWIntrinsic=0</c>, or the number of threads.</summary>
internal static class TrainingCanary
{
    public static void Run(string[] arguments)
    {
        var threads = arguments.Length > 0 ? int.Parse(arguments[0], CultureInfo.InvariantCulture) : 1;
        var recipe = new TrainingRecipe { Shape = new(64) { Layers = 2 }, Tokens = 1500, BatchTokens = 500, SlotTokens = 100, WarmUpSteps = 0 };
        var weights = new Trainer(recipe, index => new([.. Enumerable.Range(0, 40 + (int)index % 20).Select(t => (int)(t * (index + 3) % 64))], [0, .. Enumerable.Repeat(1f, 39 + (int)index % 20)]))
            .Train(new() { Threads = threads }, CancellationToken.None);
        Console.WriteLine(Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes(weights.Values.AsSpan()))));
    }
}
