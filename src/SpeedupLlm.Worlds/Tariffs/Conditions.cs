using SpeedupLlm.Compute;

namespace SpeedupLlm.Worlds.Tariffs;

/// <summary>A condition of the evaluation: what the prompt remembers, and which parts of the question were never trained.</summary>
internal sealed record Conditioned(string Name, IReadOnlyList<Remembered> Remembers, Share Tariffs = Share.Trained, bool HeldOutNames = false, bool HeldOutWordings = false)
{
    /// <summary>The questions with their contexts; conditions of one stream ask alike questions.</summary>
    public List<(TariffQuestion Question, Context Context)> Questions(StreamKey stream, int n) =>
    [
        .. Enumerable.Range(0, n).Select(i =>
        {
            var random = new StreamRandom(stream.Child(i));
            var firm = HeldOutNames ? InventedName.Draw(random, Split.Development) : InventedName.Draw(random);
            var q = TariffQuestion.Draw(random, firm, random.Pick(Service.All), Tariff.Draw(random, Tariffs));
            if (HeldOutWordings)
                q = q with { BillWording = Wordings.HeldOut, AskWording = Wordings.HeldOut };
            return (q, Context.Of(new StreamRandom(stream.Child(i).Child("context")), q, Remembers, Tariffs));
        }),
    ];
}

/// <summary>The conditions of the evaluation.</summary>
internal static class Conditions
{
    private static readonly Conditioned None = new("none", []), S3 = new("S3", [Remembered.S3]), S4 = new("S4", [Remembered.S4]), Lesson = new("lesson", [Remembered.Lesson]);

    /// <summary>Of thinking.</summary>
    public static IReadOnlyList<Conditioned> Think { get; } =
    [
        None, new("S1", [Remembered.S1]), new("S2", [Remembered.S2]), S3, S4, Lesson, new("sibling's lesson", [Remembered.SiblingLesson]),
        new("3 × S3", [Remembered.S3, Remembered.S3, Remembered.S3]), new("3 × S4", [Remembered.S4, Remembered.S4, Remembered.S4]),
        new("other firm", [Remembered.Other]), new("stale", [Remembered.Stale]), new("S3 + 2 others", [Remembered.S3, Remembered.Other, Remembered.Other]),
        new("filler", [Remembered.Filler]),
    ];

    /// <summary>Of one attempt.</summary>
    public static IReadOnlyList<Conditioned> Guess { get; } =
    [
        .. Think,
        None with { Name = "none, held-out tariffs", Tariffs = Share.HeldOut }, S3 with { Name = "S3, held-out tariffs", Tariffs = Share.HeldOut },
        Lesson with { Name = "lesson, held-out tariffs", Tariffs = Share.HeldOut },
        None with { Name = "none, held-out names", HeldOutNames = true }, S3 with { Name = "S3, held-out names", HeldOutNames = true },
        None with { Name = "none, held-out wordings", HeldOutWordings = true }, S3 with { Name = "S3, held-out wordings", HeldOutWordings = true },
    ];

    /// <summary>Of paths of steps, and of the model's own attempts before the judge.</summary>
    public static IReadOnlyList<Conditioned> Propose { get; } = [None, S3, S4];

    /// <summary>Attempts of known sort before the judge; only the first two are good.</summary>
    public static IReadOnlyList<(string Name, Func<StreamRandom, TariffQuestion, WorkedAttempt?> Make)> Judged { get; } =
    [
        ("sound", Sound), ("harmless slip", WorkedAttempt.WithHarmlessSlip), ("slip", WorkedAttempt.WithSlip), ("other answer", WorkedAttempt.WithOtherAnswer),
        ("forged", (random, q) => Forged(random, q, Forgery.Ignored)), ("forged and bent", (random, q) => Forged(random, q, Forgery.Bent)),
        ("forged and misquoted", (random, q) => Forged(random, q, Forgery.Misquoted)),
        ("failed", Failed),
    ];

    private static WorkedAttempt? Forged(StreamRandom random, TariffQuestion q, Forgery how) =>
        NearMiss.Draw(random, q) is { } wrong ? WorkedAttempt.Forge(q, wrong, how) : null;

    /// <summary>The true attempt.</summary>
    public static WorkedAttempt Sound(StreamRandom random, TariffQuestion q) => WorkedAttempt.True(q);

    /// <summary>An honest attempt that fails; never of a sum, where the judge has nothing to reckon with.</summary>
    public static WorkedAttempt? Failed(StreamRandom random, TariffQuestion q) =>
        q.Kind != QuestionKind.Sum && NearMiss.Draw(random, q) is { } wrong ? WorkedAttempt.TryWith(q, wrong) : null;
}
