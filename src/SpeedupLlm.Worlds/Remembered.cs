using SpeedupLlm.Compute;
using SpeedupLlm.Memory;

namespace SpeedupLlm.Worlds;

/// <summary>Something remembered, as training texts and evaluation make it up.</summary>
internal enum Remembered
{
    /// <summary>The case of the same question.</summary>
    S1,

    /// <summary>The case of the same question in other words.</summary>
    S2,

    /// <summary>A case of the same subject and kind.</summary>
    S3,

    /// <summary>A case of another branch and another kind.</summary>
    S4,

    /// <summary>The lesson of this subject.</summary>
    Lesson,

    /// <summary>The lesson of another branch.</summary>
    SiblingLesson,

    /// <summary>A case of this subject that does not hold any more.</summary>
    Stale,

    /// <summary>A case of this subject that was never right: its checks are forged.</summary>
    Forged,

    /// <summary>Another subject's case, mostly in the same setting.</summary>
    Other,

    /// <summary>Another subject's lesson.</summary>
    OtherLesson,

    /// <summary>Everyday text.</summary>
    Filler,
}

/// <summary>How much is remembered in training texts, and how it lies in the prompt: the same in all worlds.</summary>
internal static class Recollection
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

    /// <summary>Parts of the training distribution: up to ten cases and lessons, relevant or not.</summary>
    public static IReadOnlyList<Remembered> Draw(StreamRandom random) => random.Flip(.03) ? Many(random) : random.Weighted(Kinds);

    /// <summary>Hints in shuffled order, with the rules that occur in them. Lessons that are neighbours may stand in one hint, as a running lesson does.</summary>
    public static (IReadOnlyList<Hint> Hints, IReadOnlyList<TRule> Rules) Lay<TRule>(StreamRandom random, List<(Hint Hint, TRule? Rule)> made)
        where TRule : class
    {
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

        return (hints, [.. made.Where(m => m.Rule is not null).Select(m => m.Rule!)]);
    }

    /// <summary>Everyday text, as the placebo memory gives it.</summary>
    public static Hint Filler(StreamRandom random)
    {
        var from = random.Next(Worlds.Filler.Sentences.Count);
        var text = string.Join(' ', Enumerable.Range(0, random.Between(1, 12)).Select(i => Worlds.Filler.Sentences[(from + i) % Worlds.Filler.Sentences.Count]));
        // the placebo is cut to a length, anywhere
        if (random.Flip(.5) && text.LastIndexOf(' ') is > 0 and var end)
            text = text[..end];
        return new(HintKind.Placebo, text, null, "");
    }

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
}
