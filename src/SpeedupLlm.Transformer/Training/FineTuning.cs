using SpeedupLlm.Compute;
using SpeedupLlm.Transformer.Model;
using SpeedupLlm.Transformer.Model.Kernels;

namespace SpeedupLlm.Transformer.Training;

/// <summary>How a trained model learns a few texts more.</summary>
public sealed record FineTuneRecipe
{
    /// <summary>Steps of AdamW.</summary>
    public int Steps { get; init; } = 8;

    /// <summary>Learning rate, the same at every step.</summary>
    public double Rate { get; init; } = 1e-3;

    /// <summary>Rank of a low-rank adapter (LoRA), or null to train all weights.</summary>
    public int? Rank { get; init; }

    /// <summary>LoRA's change is multiplied by Alpha / Rank.</summary>
    public double Alpha { get; init; } = 16;

    /// <summary>A step takes the texts in turn, each at most once, up to this many tokens, and at least one.</summary>
    public int BatchTokens { get; init; } = 4096;

    /// <summary>Threads; any number gives the same bits.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>β₁, β₂, ε, clipping and decay of AdamW.</summary>
    internal static TrainingRecipe Optimizer(ModelShape shape) => new() { Shape = shape, Tokens = 1, WeightDecay = 0 };
}

/// <summary>What came of fine-tuning.</summary>
/// <param name="Weights">The changed weights, with the adapter merged in if there is one.</param>
/// <param name="Adapter">The low-rank adapter, or null when all weights were trained.</param>
/// <param name="Losses">Loss before each step, on the texts of that step.</param>
/// <param name="TrainedTokens">Tokens passed forward and backward, counted once a step.</param>
public sealed record FineTuned(Weights Weights, LowRankAdapter? Adapter, IReadOnlyList<LossSums> Losses, long TrainedTokens);

/// <summary>Learns a few texts on top of trained weights, fully or by a low-rank adapter (LoRA, arXiv 2106.09685), on the same exact gradients.</summary>
public static class FineTuning
{
    // one past case is one slot, and more than one case is split for two threads
    private const int SlotTokens = 512;

    /// <summary>Fine-tunes a copy; the given weights stay as they are.</summary>
    /// <param name="weights">Where to start.</param>
    /// <param name="texts">What to learn, at least one text.</param>
    /// <param name="recipe">How.</param>
    /// <param name="stream">Decides how a low-rank adapter starts; full fine-tuning draws nothing.</param>
    /// <param name="cancellation">Checked before every step.</param>
    /// <exception cref="ArgumentException">A number of the recipe or of a text is out of range.</exception>
    public static FineTuned Train(Weights weights, IReadOnlyList<TrainingExample> texts, FineTuneRecipe recipe, StreamKey stream, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(recipe);
        Check(weights.Shape, texts);
        if (recipe.Steps < 0 || !(recipe.Rate > 0 && double.IsFinite(recipe.Rate)))
            throw new ArgumentException(FormattableString.Invariant($"Fine-tuning with {recipe.Steps} steps at rate {recipe.Rate:R}; steps must not be negative, the rate finite and above 0."));

        var tuned = weights.Clone();
        var adapter = recipe.Rank is { } rank ? new LowRankAdapter(weights.Shape, rank, recipe.Alpha, stream) : null;
        using var workers = new Workers(recipe.Threads);
        using var gradient = new BatchGradient(tuned, workers, SlotTokens);
        var optimizer = FineTuneRecipe.Optimizer(weights.Shape);
        var full = adapter is null ? new FullUpdate(tuned, gradient) : null;
        var low = adapter is null ? null : new LowRankUpdate(adapter, weights, tuned, gradient);
        var losses = new List<LossSums>();
        var (next, tokens) = (0, 0L);
        for (var step = 0; step < recipe.Steps; step++)
        {
            cancellation.ThrowIfCancellationRequested();
            var batch = Batch(texts, recipe.BatchTokens, ref next);
            losses.Add(gradient.Compute(batch));
            tokens += batch.Sum(text => text.Tokens.Length);
            full?.Step(recipe.Rate, optimizer);
            low?.Step(recipe.Rate, optimizer);
        }

        return new(tuned, adapter, losses, tokens);
    }

    /// <summary>Loss of the weights on texts.</summary>
    /// <exception cref="ArgumentException">A number of a text is out of range.</exception>
    public static LossSums Evaluate(Weights weights, IReadOnlyList<TrainingExample> texts, int threads)
    {
        ArgumentNullException.ThrowIfNull(weights);
        Check(weights.Shape, texts);
        using var workers = new Workers(threads);
        using var gradient = new BatchGradient(weights, workers, SlotTokens);
        return gradient.Evaluate(texts);
    }

    private static void Check(ModelShape shape, IReadOnlyList<TrainingExample> texts)
    {
        ArgumentNullException.ThrowIfNull(texts);
        if (texts.Count == 0)
            throw new ArgumentException("There is no text to learn from.", nameof(texts));
        foreach (var text in texts)
            text.Validated(shape);
    }

    private static List<TrainingExample> Batch(IReadOnlyList<TrainingExample> texts, int budget, ref int next)
    {
        var batch = new List<TrainingExample>();
        var tokens = 0;
        while (batch.Count < texts.Count && (batch.Count == 0 || tokens + texts[next].Tokens.Length <= budget))
        {
            batch.Add(texts[next]);
            tokens += texts[next].Tokens.Length;
            next = (next + 1) % texts.Count;
        }

        return batch;
    }

    /// <summary>AdamW on A and B; after each step they are merged into the weights that the gradient is taken of.</summary>
    private sealed unsafe class LowRankUpdate(LowRankAdapter adapter, Weights original, Weights merged, BatchGradient gradient)
    {
        private readonly float[] _gradient = new float[adapter.Values.Length];
        private readonly float[] _first = new float[adapter.Values.Length];
        private readonly float[] _second = new float[adapter.Values.Length];
        private long _steps;

        public void Step(double rate, TrainingRecipe recipe)
        {
            var norm = Math.Sqrt(adapter.Gradient(gradient.Gradient, _gradient));
            if (!double.IsFinite(norm))
                return;
            _steps++;
            var step = new AdamWStep(rate, Math.Min(1, recipe.Clip / (norm + 1e-6)), 0, recipe.Beta1, recipe.Beta2, recipe.Epsilon, _steps);
            Lanes.Run(new Update(adapter.Values, _first, _second, _gradient, step));
            adapter.Merge(original, merged);
            gradient.Repack();
        }
    }

    private sealed unsafe class Update(float[] values, float[] first, float[] second, float[] gradient, AdamWStep step) : ILanesWork<bool>
    {
        public bool Run<TLanes>()
            where TLanes : unmanaged, ILanes<TLanes>
        {
            fixed (float* w = values, m = first, v = second, g = gradient)
                AdamW.Update<TLanes>(w, m, v, g, values.Length, step);
            return true;
        }
    }
}
