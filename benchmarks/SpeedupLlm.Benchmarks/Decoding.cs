using System.Diagnostics;
using System.Globalization;
using SpeedupLlm.Compute;
using SpeedupLlm.Transformer.Decoding;
using SpeedupLlm.Transformer.Formats;
using SpeedupLlm.Transformer.Model;
using SpeedupLlm.Transformer.Tests.Formats;
using SpeedupLlm.Transformer.Tokenizer;

namespace SpeedupLlm.Benchmarks;

/// <summary>Our decoding beside llama.cpp's (npm @node-llama-cpp/linux-x64 3.22.1, F32, one thread) on the same GGUF, in processor seconds: the machine may be busy.</summary>
internal static class Decoding
{
    private const int Generated = 64;
    private const int Rounds = 5;

    public static async Task RunAsync(int context)
    {
        var vocabulary = new PieceVocabulary(
            [.. Enumerable.Range(0, 20).Select(i => string.Create(CultureInfo.InvariantCulture, $"<{i}>"))],
            [.. Enumerable.Range(0, 236).Select(i => string.Create(CultureInfo.InvariantCulture, $" piece{i}"))]);
        var weights = Weights.Initial(new ModelShape(vocabulary.Count), StreamKey.Root(1));
        var path = Path.GetTempFileName();
        await using (var file = File.Create(path))
            GgufFile.Write(file, weights, vocabulary, "benchmark");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{weights.Shape.Parameters:n0} parameters, {Generated} tokens a sequence around a context of {context}; tokens a processor second, best of {Rounds}"));
        var prompt = context - Generated / 2;
        foreach (var count in new[] { 1, 32 })
        {
            using var llama = new LlamaCpp(path, count * (context + Generated), count);
            await using var engine = new DecodingEngine(weights.Shape, new() { Workers = 1 });
            var model = new DecoderWeights(weights);
            var (ours, theirs, ourPrompt, theirPrompt) = (0.0, 0.0, 0.0, 0.0);
            for (var round = 0; round < Rounds; round++)
            {
                var prompts = Enumerable.Range(0, count).Select(i => Prompt(weights.Shape, prompt, 100 * round + i)).ToList();
                var (p, g) = await OursAsync(engine, model, prompts);
                (ourPrompt, ours) = (Math.Max(ourPrompt, p), Math.Max(ours, g));
                (p, g) = Theirs(llama, prompts);
                (theirPrompt, theirs) = (Math.Max(theirPrompt, p), Math.Max(theirs, g));
            }
            Print(count, "generated", ours, theirs);
            Print(count, "prompt", ourPrompt, theirPrompt);
        }
        File.Delete(path);
    }

    private static int[] Prompt(ModelShape shape, int length, int seed)
    {
        var random = new StreamRandom(StreamKey.Root(seed));
        return [.. Enumerable.Range(0, length).Select(_ => random.Next(shape.Vocabulary))];
    }

    /// <summary>Prompt and generated tokens a processor second. The first token comes with the prompt.</summary>
    private static async Task<(double Prompt, double Generated)> OursAsync(DecodingEngine engine, DecoderWeights model, List<int[]> prompts)
    {
        async Task<double> Seconds(int tokens)
        {
            var start = Process.GetCurrentProcess().TotalProcessorTime;
            await Task.WhenAll(prompts.Select((p, i) => engine.GenerateAsync(
                new(model, p) { MaximumTokens = tokens, Stream = StreamKey.Root(i) }, default)));
            return (Process.GetCurrentProcess().TotalProcessorTime - start).TotalSeconds;
        }
        var first = await Seconds(1);
        var before = await Seconds(1); // all but the last block comes from the prefix cache
        var all = await Seconds(1 + Generated);
        return (prompts.Sum(p => p.Length) / first, prompts.Count * Generated / (all - before));
    }

    private static (double Prompt, double Generated) Theirs(LlamaCpp llama, List<int[]> prompts)
    {
        llama.Forget();
        var start = Process.GetCurrentProcess().TotalProcessorTime;
        for (var i = 0; i < prompts.Count; i++)
            llama.Decode([.. prompts[i].Select((token, position) => (i, position, token))], logits: false);
        var prompt = Process.GetCurrentProcess().TotalProcessorTime;
        var tokens = prompts.Select(_ => 1).ToArray();
        for (var step = 0; step < Generated; step++)
        {
            var logits = llama.Decode([.. prompts.Select((p, i) => (i, p.Length + step, tokens[i]))], logits: true);
            for (var i = 0; i < tokens.Length; i++)
                tokens[i] = Array.IndexOf(logits[i], logits[i].Max());
        }
        return (prompts.Sum(p => p.Length) / (prompt - start).TotalSeconds,
            prompts.Count * Generated / (Process.GetCurrentProcess().TotalProcessorTime - prompt).TotalSeconds);
    }

    private static void Print(int count, string what, double ours, double theirs) => Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture, $"{count,3} sequences, {what,-9} ours {ours,7:n0}  llama.cpp {theirs,7:n0}  ratio {ours / theirs:0.00}"));
}
