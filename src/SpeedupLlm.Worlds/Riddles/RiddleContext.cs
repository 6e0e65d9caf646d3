using SpeedupLlm.Compute;
using SpeedupLlm.Memory;

namespace SpeedupLlm.Worlds.Riddles;

/// <summary>What stands in a prompt before the riddle.</summary>
/// <param name="Hints">As memories give them.</param>
/// <param name="Rules">The rules that occur in them: what a reasoner may be tempted to try.</param>
internal sealed record RiddleContext(IReadOnlyList<Hint> Hints, IReadOnlyList<string> Rules)
{
    /// <summary>Nothing remembered.</summary>
    public static RiddleContext Empty { get; } = new([], []);

    /// <summary>A context of the given parts.</summary>
    public static RiddleContext Of(StreamRandom random, Riddle riddle, IReadOnlyList<Remembered> parts, Share rules = Share.Trained)
    {
        if (parts.Count == 0)
            return Empty;
        var (hints, suggested) = Recollection.Lay(random, parts.Select(p => Make(random, riddle, p, rules)).ToList());
        return new(hints, suggested);
    }

    /// <summary>The lesson of a subject, such as <c>Orpi North hold cook smith baker guard tailor miller.</c></summary>
    public static string Lesson(Riddle riddle) => $"{riddle.Name.Name} {riddle.Book.Verb} {riddle.Rule}.";

    private static (Hint Hint, string? Rule) Make(StreamRandom random, Riddle riddle, Remembered part, Share rules)
    {
        Riddle Other() => Riddle.Draw(random, riddle.Book, InventedName.Draw(random), riddle.Book.Draw(random, rules));
        string Kin() => riddle.Book.DrawKin(random, rules, riddle.Rule);
        static (Hint, string?) CaseOf(RiddleAttempt a) => (new(HintKind.Case, a.Riddle.Text, a.Text, ""), a.Rule);
        static (Hint, string?) LessonOf(Riddle r) => (new(HintKind.Lesson, Lesson(r), null, ""), r.Rule);
        switch (part)
        {
            case Remembered.S1:
                return CaseOf(RiddleAttempt.True(riddle));
            case Remembered.S2:
                return CaseOf(RiddleAttempt.True(riddle.Reworded(random)));
            case Remembered.S3:
                return CaseOf(RiddleAttempt.True(riddle.Again(random)));
            case Remembered.S4:
                return CaseOf(RiddleAttempt.True(Riddle.Draw(random, riddle.Book, riddle.Name.Sibling(random), Kin(), not: riddle.Kind)));
            case Remembered.Stale:
                return CaseOf(RiddleAttempt.True(Riddle.Draw(random, riddle.Book, riddle.Name, Kin(), riddle.Kind)));
            case Remembered.Other:
                return CaseOf(RiddleAttempt.True(Other()));
            case Remembered.Lesson:
                return LessonOf(riddle);
            case Remembered.SiblingLesson:
                return LessonOf(riddle with { Name = riddle.Name.Sibling(random), Rule = Kin() });
            case Remembered.OtherLesson:
                return LessonOf(riddle with { Name = InventedName.Draw(random), Rule = riddle.Book.Draw(random, rules) });
            case Remembered.Forged:
                var again = riddle.Again(random);
                return CaseOf(RiddleAttempt.Forge(again, RiddleAttempt.Tempting(random, again), random.Pick(Enum.GetValues<Forgery>())) ?? RiddleAttempt.True(again));
            default:
                return (Recollection.Filler(random), null);
        }
    }
}
