using System.Globalization;
using SpeedupLlm.Compute;
using SpeedupLlm.Experience;
using SpeedupLlm.Memory;

namespace SpeedupLlm.Benchmark.Rivals;

/// <summary>Answers with the kept answer of the most similar question where that entry's own checks allow it (vCache, arXiv 2502.03771), with δ = 0.02 as the answer cache.</summary>
/// <remarks>Every accepted answer becomes an entry; a search that was made although an entry was near is a check of it.</remarks>
internal sealed class EntryThresholdCache : IMemory
{
    public const string CatalogueName = "vcache";

    private const string Kind = "entry-checks";

    private readonly EntryThreshold _rule = new(0.02);

    public string Name => CatalogueName;

    public bool GivesAnswers => true;

    public async ValueTask<Recalled> RecallAsync(Question question, IMemoryContext context, CancellationToken cancellationToken)
    {
        if (await Entry.NearestAsync(question.Text, null, context, cancellationToken).ConfigureAwait(false) is not { } entry)
            return Recalled.Nothing;
        var held = await context.Store.GetAsync(context.Scope, Kind, entry.Item.Id, cancellationToken).ConfigureAwait(false);
        return _rule.Serves(Read(held), entry.Similarity, new StreamRandom(context.Stream.Child(CatalogueName))) ? Entry.Give(entry) : Recalled.Nothing;
    }

    public async ValueTask LearnAsync(Episode episode, IMemoryContext context, CancellationToken cancellationToken)
    {
        if (episode.Final is null || await Entry.NearestAsync(episode.Question, episode.Id, context, cancellationToken).ConfigureAwait(false) is not { Item.Final: { } kept } entry)
            return;
        var right = await context.Answers.AreEquivalentAsync(episode.Final, kept, null, cancellationToken).ConfigureAwait(false);
        var held = await context.Store.GetAsync(context.Scope, Kind, entry.Item.Id, cancellationToken).ConfigureAwait(false);
        var line = string.Create(CultureInfo.InvariantCulture, $"{entry.Similarity:R} {(right ? 1 : 0)}\n");
        // an arm is one serial lifeline: nobody else writes meanwhile
        await context.Store.PutAsync(new()
        {
            Kind = Kind,
            Key = entry.Item.Id,
            Scope = context.Scope,
            Text = held?.Text + line,
            Sources = [entry.Item.Id],
            Version = held?.Version ?? 0,
            At = context.Now,
        }, cancellationToken).ConfigureAwait(false);
    }

    private static List<ReuseCheck> Read(MemoryDocument? document) => document is null ? [] :
    [
        .. document.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' '))
            .Select(parts => new ReuseCheck(double.Parse(parts[0], CultureInfo.InvariantCulture), parts[1] == "1")),
    ];
}
