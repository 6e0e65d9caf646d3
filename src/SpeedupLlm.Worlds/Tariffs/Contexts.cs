using SpeedupLlm.Compute;
using SpeedupLlm.Memory;

namespace SpeedupLlm.Worlds.Tariffs;

/// <summary>Something remembered, as training texts and evaluation make it up.</summary>
internal enum Remembered
{
    /// <summary>The case of the same question.</summary>
    S1,

    /// <summary>The case of the same question in other words.</summary>
    S2,

    /// <summary>A case of the same firm and kind.</summary>
    S3,

    /// <summary>A case of another branch and another kind.</summary>
    S4,

    /// <summary>The lesson of this firm.</summary>
    Lesson,

    /// <summary>The lesson of another branch.</summary>
    SiblingLesson,

    /// <summary>A case of this firm that does not hold any more.</summary>
    Stale,

    /// <summary>A case of this firm that was never right: its checks are forged.</summary>
    Forged,

    /// <summary>Another firm's case, mostly of the same service.</summary>
    Other,

    /// <summary>Another firm's lesson.</summary>
    OtherLesson,

    /// <summary>Everyday text.</summary>
    Filler,
}

/// <summary>What stands in a prompt before the question.</summary>
/// <param name="Hints">As memories give them.</param>
/// <param name="Tariffs">The tariffs that occur in them: what a reasoner may be tempted to try.</param>
internal sealed record Context(IReadOnlyList<Hint> Hints, IReadOnlyList<Tariff> Tariffs)
{
    private static readonly (Remembered[], double)[] Kinds =
    [
        ([], .235),
        ([Remembered.S1], .03), ([Remembered.S2], .035), ([Remembered.S3], .09), ([Remembered.S4], .07),
        ([Remembered.Lesson], .07), ([Remembered.SiblingLesson], .03),
        ([Remembered.Other], .05), ([Remembered.OtherLesson], .02), ([Remembered.Stale], .035), ([Remembered.Forged], .01),
        ([Remembered.Filler], .025), ([Remembered.S3, Remembered.Filler], .005),
        ([Remembered.S1, Remembered.S1, Remembered.S1], .01), ([Remembered.S2, Remembered.S2, Remembered.S1], .01),
        ([Remembered.S3, Remembered.S3], .025), ([Remembered.S3, Remembered.S3, Remembered.S3], .02),
        ([Remembered.S4, Remembered.S4], .015), ([Remembered.S4, Remembered.S4, Remembered.S4], .015),
        ([Remembered.Stale, Remembered.S3], .015), ([Remembered.Forged, Remembered.S3], .005),
        ([Remembered.S3, Remembered.Other], .045), ([Remembered.S4, Remembered.Other], .025),
        ([Remembered.S3, Remembered.Other, Remembered.Other], .05), ([Remembered.S4, Remembered.S3, Remembered.Other], .015),
        ([Remembered.Lesson, Remembered.OtherLesson], .025), ([Remembered.Lesson, Remembered.Lesson, Remembered.Lesson], .01),
        ([Remembered.SiblingLesson, Remembered.SiblingLesson], .015), ([Remembered.SiblingLesson, Remembered.SiblingLesson, Remembered.SiblingLesson], .01),
        ([Remembered.Lesson, Remembered.OtherLesson, Remembered.OtherLesson, Remembered.SiblingLesson], .03),
        ([Remembered.SiblingLesson, Remembered.OtherLesson, Remembered.OtherLesson], .015),
        ([Remembered.Lesson, Remembered.S3], .01), ([Remembered.Lesson, Remembered.Other], .01),
    ];

    /// <summary>Nothing remembered.</summary>
    public static Context Empty { get; } = new([], []);

    /// <summary>A context of the training distribution: up to ten cases and lessons, relevant or not.</summary>
    public static Context Draw(StreamRandom random, TariffQuestion q, Share tariffs = Share.Trained) =>
        Of(random, q, random.Flip(.03) ? Many(random) : random.Weighted(Kinds), tariffs);

    /// <summary>A context of the given parts, shuffled. Lessons that are neighbours may stand in one hint, as a running lesson does.</summary>
    public static Context Of(StreamRandom random, TariffQuestion q, IReadOnlyList<Remembered> parts, Share tariffs = Share.Trained)
    {
        if (parts.Count == 0)
            return Empty;
        var made = parts.Select(p => Make(random, q, p, tariffs)).ToList();
        random.Shuffle(made);
        var hints = new List<Hint>();
        var merge = random.Flip(.5);
        foreach (var (hint, _) in made)
        {
            if (merge && hint.Kind == HintKind.Lesson && hints is [.., { Kind: HintKind.Lesson } last])
                hints[^1] = last with { Text = last.Text + " " + hint.Text };
            else
                hints.Add(hint);
        }

        return new(hints, [.. made.Where(m => m.Tariff is not null).Select(m => m.Tariff!)]);
    }

    /// <summary>The worked case of an attempt.</summary>
    public static Hint Case(WorkedAttempt attempt) => new(HintKind.Case, attempt.Question.Text, attempt.Text, "");

    /// <summary>The lesson of a firm, such as <c>Orpi North charge 2 x + 3 y + 5.</c></summary>
    public static string Lesson(Firm firm, Tariff tariff) => $"{firm.Name} charge {tariff.Text}.";

    private static Remembered[] Many(StreamRandom random)
    {
        var parts = new List<Remembered>();
        if (random.Flip(.7))
            parts.Add(random.Pick([Remembered.S3, Remembered.S4, Remembered.Lesson, Remembered.SiblingLesson]));
        for (var cases = random.Next(4); cases > 0; cases--)
            parts.Add(Remembered.Other);
        for (var size = random.Between(4, 10); parts.Count < size;)
            parts.Add(Remembered.OtherLesson);
        return [.. parts];
    }

    private static (Hint Hint, Tariff? Tariff) Make(StreamRandom random, TariffQuestion q, Remembered part, Share tariffs)
    {
        Tariff Sibling() => Tariff.Draw(random, tariffs, q.Tariff);
        (Hint, Tariff?) CaseOf(TariffQuestion c) => (Case(WorkedAttempt.True(c)), c.Tariff);
        (Hint, Tariff?) LessonOf(Firm firm, Tariff tariff) => (new(HintKind.Lesson, Lesson(firm, tariff), null, ""), tariff);
        switch (part)
        {
            case Remembered.S1:
                return CaseOf(q);
            case Remembered.S2:
                return CaseOf(q.Reworded(random));
            case Remembered.S3:
                return CaseOf(q.Again(random));
            case Remembered.S4:
                return CaseOf(TariffQuestion.Draw(random, q.Firm.Sibling(random), q.Service, Sibling(), not: q.Kind));
            case Remembered.Stale:
                return CaseOf(TariffQuestion.Draw(random, q.Firm, q.Service, Sibling(), q.Kind));
            case Remembered.Other:
                return CaseOf(TariffQuestion.Draw(random, Firm.Draw(random), random.Flip(.7) ? q.Service : random.Pick(Service.All), Tariff.Draw(random, tariffs)));
            case Remembered.Lesson:
                return LessonOf(q.Firm, q.Tariff);
            case Remembered.SiblingLesson:
                return LessonOf(q.Firm.Sibling(random), Sibling());
            case Remembered.OtherLesson:
                return LessonOf(Firm.Draw(random), Tariff.Draw(random, tariffs));
            case Remembered.Forged:
                var again = q.Again(random);
                var forged = NearMiss.Draw(random, again) is { } wrong ? WorkedAttempt.Forge(again, wrong, random.Pick(Enum.GetValues<Forgery>())) : null;
                return (Case(forged ?? WorkedAttempt.True(again)), (forged ?? WorkedAttempt.True(again)).Tariff);
            default:
                var from = random.Next(Filler.Sentences.Count);
                var text = string.Join(' ', Enumerable.Range(0, random.Between(1, 12)).Select(i => Filler.Sentences[(from + i) % Filler.Sentences.Count]));
                // the placebo is cut to a length, anywhere
                if (random.Flip(.5) && text.LastIndexOf(' ') is > 0 and var end)
                    text = text[..end];
                return (new(HintKind.Placebo, text, null, ""), null);
        }
    }
}

/// <summary>Wrong tariffs that tempt.</summary>
internal static class NearMiss
{
    /// <summary>A wrong tariff that explains one of the two bills if six draws find one, else none of them; null if the six find no wrong one.
    /// Now and then one of those that tempt because the prompt suggests them.</summary>
    public static Tariff? Draw(StreamRandom random, TariffQuestion q, IReadOnlyList<Tariff>? tempting = null)
    {
        if (tempting is { Count: > 0 } && random.Flip(.4) && random.Pick(tempting) is { } suggested && q.Fits(suggested) < 2 && Small(q, suggested))
            return suggested;
        Tariff? best = null;
        for (var i = 0; i < 6; i++)
        {
            var tariff = Tariff.Draw(random, Share.Trained);
            if (!Small(q, tariff))
                continue;
            var fits = q.Fits(tariff);
            if (fits == 1)
                return tariff;
            if (fits == 0)
                best ??= tariff;
        }

        return best;
    }

    /// <summary>Whether all totals have two digits at most: three are not worth learning.</summary>
    private static bool Small(TariffQuestion q, Tariff tariff) => q.Bills.Concat(q.Orders).All(o => Reckoning.Price(tariff, o).Total < 100);
}
