using SpeedupLlm.Compute;
using SpeedupLlm.Memory;

namespace SpeedupLlm.Worlds.Tariffs;

/// <summary>What stands in a prompt before the question.</summary>
/// <param name="Hints">As memories give them.</param>
/// <param name="Tariffs">The tariffs that occur in them: what a reasoner may be tempted to try.</param>
internal sealed record Context(IReadOnlyList<Hint> Hints, IReadOnlyList<Tariff> Tariffs)
{
    /// <summary>Nothing remembered.</summary>
    public static Context Empty { get; } = new([], []);

    /// <summary>A context of the training distribution: up to ten cases and lessons, relevant or not.</summary>
    public static Context Draw(StreamRandom random, TariffQuestion q, Share tariffs = Share.Trained) =>
        Of(random, q, Recollection.Draw(random), tariffs);

    /// <summary>A context of the given parts, shuffled. Lessons that are neighbours may stand in one hint, as a running lesson does.</summary>
    public static Context Of(StreamRandom random, TariffQuestion q, IReadOnlyList<Remembered> parts, Share tariffs = Share.Trained)
    {
        if (parts.Count == 0)
            return Empty;
        var (hints, rules) = Recollection.Lay(random, parts.Select(p => Make(random, q, p, tariffs)).ToList());
        return new(hints, rules);
    }

    /// <summary>The worked case of an attempt.</summary>
    public static Hint Case(WorkedAttempt attempt) => new(HintKind.Case, attempt.Question.Text, attempt.Text, "");

    /// <summary>The lesson of a firm, such as <c>Orpi North charge 2 x + 3 y + 5.</c></summary>
    public static string Lesson(InventedName firm, Tariff tariff) => $"{firm.Name} charge {tariff.Text}.";

    private static (Hint Hint, Tariff? Tariff) Make(StreamRandom random, TariffQuestion q, Remembered part, Share tariffs)
    {
        Tariff Sibling() => Tariff.Draw(random, tariffs, q.Tariff);
        (Hint, Tariff?) CaseOf(TariffQuestion c) => (Case(WorkedAttempt.True(c)), c.Tariff);
        (Hint, Tariff?) LessonOf(InventedName firm, Tariff tariff) => (new(HintKind.Lesson, Lesson(firm, tariff), null, ""), tariff);
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
                return CaseOf(TariffQuestion.Draw(random, InventedName.Draw(random), random.Flip(.7) ? q.Service : random.Pick(Service.All), Tariff.Draw(random, tariffs)));
            case Remembered.Lesson:
                return LessonOf(q.Firm, q.Tariff);
            case Remembered.SiblingLesson:
                return LessonOf(q.Firm.Sibling(random), Sibling());
            case Remembered.OtherLesson:
                return LessonOf(InventedName.Draw(random), Tariff.Draw(random, tariffs));
            case Remembered.Forged:
                var again = q.Again(random);
                var forged = NearMiss.Draw(random, again) is { } wrong ? WorkedAttempt.Forge(again, wrong, random.Pick(Enum.GetValues<Forgery>())) : null;
                return (Case(forged ?? WorkedAttempt.True(again)), (forged ?? WorkedAttempt.True(again)).Tariff);
            default:
                return (Recollection.Filler(random), null);
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
