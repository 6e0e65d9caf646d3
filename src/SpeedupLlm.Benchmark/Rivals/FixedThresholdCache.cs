using SpeedupLlm.Experience;
using SpeedupLlm.Memory;
using SpeedupLlm.Relevancy;

namespace SpeedupLlm.Benchmark.Rivals;

/// <summary>Answers with the kept answer of the most similar question whenever it is similar enough: GPTCache's rule, with its default threshold of 0.8.</summary>
internal sealed class FixedThresholdCache : IMemory
{
    public const string CatalogueName = "fixed-threshold";

    private readonly FixedThreshold _rule = new(0.8);

    public string Name => CatalogueName;

    public bool GivesAnswers => true;

    public async ValueTask<Recalled> RecallAsync(Question question, IMemoryContext context, CancellationToken cancellationToken) =>
        await Entry.NearestAsync(question.Text, null, context, cancellationToken).ConfigureAwait(false) is { } entry && _rule.Serves(entry.Similarity)
            ? Entry.Give(entry)
            : Recalled.Nothing;

    public ValueTask LearnAsync(Episode episode, IMemoryContext context, CancellationToken cancellationToken) => ValueTask.CompletedTask;
}

/// <summary>What is kept of answered questions, for rules that answer from it.</summary>
internal static class Entry
{
    /// <summary>The most similar usable episode but <paramref name="except"/>, or null.</summary>
    public static async ValueTask<Neighbour<Episode>?> NearestAsync(string text, string? except, IMemoryContext context, CancellationToken cancellationToken)
    {
        var query = context.Embedder.Embed(text);
        if (query.IsEmpty)
            return null;
        var found = await context.Store.NearestAsync(new(context.Scope, context.Embedder.Fingerprint), query, 2, cancellationToken).ConfigureAwait(false);
        return found.FirstOrDefault(n => n.Item.Id != except);
    }

    public static Recalled Give(Neighbour<Episode> entry) => new(
        new(entry.Item.Answer!, entry.Item.Final, entry.Item.Id, entry.Item.Verdict), [], null, new(SimilarityLevel.S1, entry.Similarity, 1));
}
