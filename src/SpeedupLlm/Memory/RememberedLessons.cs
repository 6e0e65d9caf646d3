using SpeedupLlm.Experience;

namespace SpeedupLlm.Memory;

/// <summary>The lessons of <see cref="Reflect"/> and <see cref="MultiReflect"/>: documents of one kind, found by the questions that they come from.</summary>
internal static class RememberedLessons
{
    /// <summary>The kind of the documents.</summary>
    public const string Kind = "lesson";

    private const int MostLookedAt = 512;

    /// <summary>The most similar lessons as hints, the most similar last.</summary>
    /// <remarks>Of lessons that share text or whose episodes are all in another one's, the fuller and newer stands for both. Lessons of a rejected or harmful episode are left out.</remarks>
    public static async ValueTask<Recalled> RecallAsync(
        Question question, int count, int harmLimit, IMemoryContext context, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var query = question.IsFollowUp ? default : context.Embedder.Embed(question.Text);
        if (query.IsEmpty)
            return Recalled.Nothing;
        var lookup = RememberedCases.LookupOf(context);
        for (var wanted = Math.Max(8, 2 * count); ; wanted *= 4)
        {
            var found = await context.Store.NearestDocumentsAsync(lookup, Kind, query, wanted, cancellationToken).ConfigureAwait(false);
            var sound = new List<Neighbour<MemoryDocument>>();
            foreach (var neighbour in found)
            {
                if (!await Learning.IsTaintedAsync(neighbour.Item, harmLimit, context, cancellationToken).ConfigureAwait(false))
                    sound.Add(neighbour);
            }
            var lessons = WithoutRepetition(sound).Take(count).ToList();
            if (lessons.Count < count && found.Count == wanted && wanted < MostLookedAt)
                continue;
            if (lessons.Count == 0)
                return Recalled.Nothing;
            lessons.Reverse();
            var hints = HintWindow.Fit([.. lessons.Select(l => ToHint(l.Item))], question, context);
            return new(null, hints, null, await RememberedCases.RelevanceAsync(AskedText.Of(question), harmLimit, context, cancellationToken).ConfigureAwait(false));
        }
    }

    /// <summary>The hint of a lesson.</summary>
    public static Hint ToHint(MemoryDocument lesson) => new(HintKind.Lesson, lesson.Text, null, $"{lesson.Kind}:{lesson.Key}");

    /// <summary>Kind and key of the document behind a lesson's hint; null for other hints.</summary>
    public static (string Kind, string Key)? KeyOf(Hint hint) =>
        hint.Kind == HintKind.Lesson && hint.Source.IndexOf(':', StringComparison.Ordinal) is > 0 and var colon ? (hint.Source[..colon], hint.Source[(colon + 1)..]) : null;

    private static IEnumerable<Neighbour<MemoryDocument>> WithoutRepetition(IReadOnlyList<Neighbour<MemoryDocument>> lessons)
    {
        var order = lessons
            .OrderByDescending(l => l.Similarity)
            .ThenByDescending(l => l.Item.At)
            .ThenByDescending(l => l.Item.Key, StringComparer.Ordinal)
            .ToList();
        for (var i = 0; i < order.Count; i++)
        {
            var lesson = order[i].Item;
            var repeated = order.Where((other, j) => j != i && (Repeats(lesson, other.Item) && (j < i || !Repeats(other.Item, lesson)))).Any();
            if (!repeated)
                yield return order[i];
        }
    }

    /// <summary>Whether a lesson says nothing beyond another: the same text, or from a part of its episodes.</summary>
    private static bool Repeats(MemoryDocument lesson, MemoryDocument other) =>
        string.Equals(lesson.Text, other.Text, StringComparison.Ordinal)
        || (lesson.Sources.Count > 0 && lesson.Sources.All(s => other.Sources.Contains(s, StringComparer.Ordinal)));
}
