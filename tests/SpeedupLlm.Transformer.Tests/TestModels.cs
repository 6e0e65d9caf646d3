using SpeedupLlm.Compute;
using SpeedupLlm.Prompts;
using SpeedupLlm.Transformer.Formats;
using SpeedupLlm.Transformer.Model;
using SpeedupLlm.Transformer.Tokenizer;
using SpeedupLlm.Transformer.Training;

namespace SpeedupLlm.Transformer.Tests;

/// <summary>Small untrained models whose next-token distributions are neither flat nor certain.</summary>
internal static class TestModels
{
    public static PieceVocabulary Vocabulary { get; } = new(
        [CompactPrompts.End, .. CompactPrompts.SectionTags, .. CompactPrompts.Tasks.Select(CompactPrompts.Tag)],
        [" ", " Or", "pi", " charges", " 7", "7", " bill", "é", " 税", "\n", ".", " \\n", " Answer", " good", " bad", " Try"]);

    public static ModelShape Shape { get; } = new(Vocabulary.Count) { Width = 64, Heads = 2, Layers = 2, Hidden = 96, Context = 192 };

    public static Weights Weights(int seed, ModelShape? shape = null)
    {
        var weights = SpeedupLlm.Transformer.Model.Weights.Initial(shape ?? Shape, StreamKey.Root(seed));
        foreach (var tensor in weights.Tensors)
            foreach (ref var value in weights.Span(tensor))
                value *= tensor.IsMatrix ? 8 : 1;
        return weights;
    }

    /// <summary>A low-rank change that shows.</summary>
    public static LowRankAdapter Change(int seed, int rank, ModelShape? shape = null)
    {
        var change = new LowRankAdapter(shape ?? Shape, rank, 2 * rank, StreamKey.Root(seed));
        var random = new StreamRandom(StreamKey.Root(seed));
        foreach (var pair in change.Pairs)
            foreach (ref var value in change.Values.AsSpan(pair.B, pair.Of.Rows * rank))
                value = (float)(random.NextDouble() - 0.5) * 0.2f;
        return change;
    }

    public static ModelFile File(int seed) => new(Weights(seed), Vocabulary, new("test", "recipe", "world", "compact-1"));
}
