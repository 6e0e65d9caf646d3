using SpeedupLlm.Compute;
using SpeedupLlm.Memory;
using SpeedupLlm.Prompts;
using SpeedupLlm.Reasoning;

namespace SpeedupLlm.Worlds.Tariffs;

/// <summary>All tasks of the compact prompts, with texts that a good reasoner would answer with.</summary>
/// <remarks>
/// The tariff is drawn anew for each text, so it cannot be known without memory: only the skill is trained. Near half of the attempts fail:
/// their tariff carries no loss and their check does, so that a check is reckoned and not copied from the bill; and a seventh of the texts
/// are plain reckoning with no bill in sight.
/// </remarks>
internal sealed class TrainingTexts(bool withMemory)
{
    // Reading and judging attempts takes about as much training as writing them, and keeping several firms apart a third of that.
    private static readonly (PromptTask, double)[] Shares =
    [
        (PromptTask.Guess, .22), (PromptTask.Think, .115), (PromptTask.Propose, .075), (PromptTask.Value, .02), (PromptTask.Restate, .045),
        (PromptTask.Verify, .135), (PromptTask.Compare, .075), (PromptTask.Feedback, .03), (PromptTask.Refine, .04), (PromptTask.Reflect, .01),
        (PromptTask.ReflectSeveral, .135), (PromptTask.Update, .10),
    ];

    // Long lessons are the hard ones.
    private static readonly (int, double)[] LessonSizes = [(0, .10), (1, .12), (2, .18), (3, .22), (4, .38)];

    private static readonly CompactPrompts Prompts = new();

    /// <summary>How many firms a running lesson speaks of.</summary>
    public const int RunningLesson = 4;

    /// <summary>One text.</summary>
    public TrainingText Sample(StreamRandom random)
    {
        var task = random.Weighted(Shares);
        var q = TariffQuestion.Draw(random);
        return task switch
        {
            PromptTask.Guess => Guess(random, q),
            PromptTask.Think => Think(random, q),
            PromptTask.Propose => Propose(random, q),
            PromptTask.Value => Value(random, q),
            PromptTask.Restate or PromptTask.Verify or PromptTask.Compare => Judge(random, q, task),
            PromptTask.Feedback => Feedback(random, q),
            PromptTask.Refine => Refine(random, q),
            PromptTask.Reflect => Learnt(Prompts.Reflect([Worked(q)]), Context.Lesson(q.Firm, q.Tariff)),
            PromptTask.ReflectSeveral => ReflectSeveral(random, q),
            _ => Update(random, q),
        };
    }

    private TrainingText Guess(StreamRandom random, TariffQuestion q)
    {
        var context = Remember(random, q);
        var tried = random.Flip(.45) ? Failing(random, q, context.Tariffs) : null;
        return new(Prompts.Solve(PromptTask.Guess, Asked(q), context.Hints), [.. (tried ?? WorkedAttempt.True(q)).Segments()]);
    }

    /// <summary>Tries until one holds. No try is made twice.</summary>
    private TrainingText Think(StreamRandom random, TariffQuestion q)
    {
        var context = Remember(random, q);
        var target = new List<Segment>();
        var tried = new HashSet<Tariff>();
        for (var fails = 0; fails < 6 && random.Flip(.5); fails++)
            if (Failing(random, q, context.Tariffs) is { } failing && tried.Add(failing.Tariff))
                target.AddRange(failing.Segments(target.Count > 0 ? " " : ""));
        target.AddRange(WorkedAttempt.True(q).Segments(target.Count > 0 ? " " : ""));
        return new(Prompts.Solve(PromptTask.Think, Asked(q), context.Hints), target);
    }

    private TrainingText Propose(StreamRandom random, TariffQuestion q)
    {
        var context = Remember(random, q);
        // from the first check on, near half of the paths turn out wrong
        var path = WorkedAttempt.True(q);
        var at = random.Flip(.4) ? 0 : random.Between(1, 3);
        if (at is 1 or 2 && random.Flip(.45) && Failing(random, q, context.Tariffs) is { } failing)
        {
            path = failing;
            at = Math.Min(at, path.Steps.Count - 1);
        }

        return Learnt(Prompts.Propose(Asked(q), context.Hints, string.Join(' ', path.Steps.Take(at))), path.Steps[at]);
    }

    private static TrainingText Value(StreamRandom random, TariffQuestion q)
    {
        var path = (random.Flip(.55) ? Failing(random, q, []) : null) ?? WorkedAttempt.True(q);
        var steps = random.Between(1, path.Steps.Count);
        var value = !path.Holds && steps == path.Steps.Count ? "none" : steps >= 3 ? "sure" : "maybe";
        return Learnt(Prompts.Value(Asked(q), string.Join(' ', path.Steps.Take(steps))), value);
    }

    /// <summary>The three calls of factored verification, over attempts of every sort.</summary>
    private static TrainingText Judge(StreamRandom random, TariffQuestion q, PromptTask task)
    {
        if (task == PromptTask.Verify && random.Flip(.45))
            return Drill(random);
        var attempt = Judged.Draw(random, q);
        var verification = Verification.Of(attempt) ?? throw new InvalidOperationException("A judged attempt can always be verified.");
        var text = task switch
        {
            PromptTask.Restate => Learnt(Prompts.Restate(Asked(q), Attempted(attempt)), verification.Restated),
            PromptTask.Verify => Learnt(Prompts.Verify(verification.Restated), verification.Verified),
            _ => Learnt(Prompts.Compare(Asked(q), Attempted(attempt), verification.Verified), verification.Compared),
        };
        return text with { LearnPrompt = task == PromptTask.Verify };
    }

    /// <summary>Plain reckoning: any tariff, rare forms more often than in questions, any amounts.</summary>
    private static TrainingText Drill(StreamRandom random)
    {
        Tariff tariff;
        var (product, condition) = (random.Flip(.25), random.Flip(.5));
        do
            tariff = Tariff.Draw(random, Share.Trained);
        while (tariff.Product != product || (condition && tariff.Condition == Condition.None));
        Order Any() => TariffQuestion.DrawOrder(random, tariff);
        var kind = random.Pick(Enum.GetValues<QuestionKind>());
        Order[] bills = [Any(), Any()];
        Order[] orders = kind is QuestionKind.Diff or QuestionKind.Cheaper ? [Any(), Any()] : [Any()];
        // a difference is seldom negative: only of a wrong tariff
        if (kind == QuestionKind.Diff && random.Flip(.8))
            orders = [.. orders.OrderByDescending(o => Reckoning.Price(tariff, o).Total)];
        return Learnt(Prompts.Verify(Verification.Restate(tariff, bills, kind, orders)), Verification.Verify(tariff, bills, kind, orders));
    }

    private static TrainingText Feedback(StreamRandom random, TariffQuestion q)
    {
        var attempt = Faulty(random, q);
        return Learnt(Prompts.Feedback(Asked(q), Attempted(attempt)), Remarks.On(attempt)) with { LearnPrompt = false };
    }

    private TrainingText Refine(StreamRandom random, TariffQuestion q)
    {
        var context = Remember(random, q);
        var attempt = Faulty(random, q);
        // a wrong answer of the right tariff needs no other tariff
        var again = attempt.Tariff != q.Tariff && random.Flip(.3) && Failing(random, q, context.Tariffs) is { } failing && failing.Tariff != attempt.Tariff
            ? failing : WorkedAttempt.True(q);
        return new(Prompts.Refine(Asked(q), context.Hints, Attempted(attempt), Remarks.On(attempt)), [.. again.Segments()]) { LearnPrompt = false };
    }

    /// <summary>A lesson of each firm in the order in which the firms come; the latest case of a firm counts.</summary>
    private static TrainingText ReflectSeveral(StreamRandom random, TariffQuestion q)
    {
        var cases = new List<TariffQuestion> { q };
        var oneFirm = random.Flip(.25); // what a memory meets most: the same firm again and again
        for (var more = random.Between(1, 3); more > 0; more--)
        {
            var like = random.Pick(cases);
            // whether the next case brings a new firm must not be guessed from what is frequent
            cases.Add(oneFirm ? like.Again(random) : random.NextDouble() switch
            {
                < .24 => like.Again(random),
                < .29 => TariffQuestion.Draw(random, like.Firm, like.Service, Tariff.Draw(random, Share.Trained, like.Tariff)),
                < .64 => TariffQuestion.Draw(random, like.Firm.Sibling(random), like.Service, Tariff.Draw(random, Share.Trained, like.Tariff)),
                _ => TariffQuestion.Draw(random),
            });
        }

        var lessons = new List<(InventedName Firm, Tariff Tariff)>();
        foreach (var c in cases)
        {
            if (lessons.FindIndex(l => l.Firm == c.Firm) is >= 0 and var known)
                lessons[known] = (c.Firm, c.Tariff);
            else
                lessons.Add((c.Firm, c.Tariff));
        }

        return Learnt(Prompts.Reflect([.. cases.Select(Worked)]), Lessons(lessons));
    }

    /// <summary>A running lesson of at most four firms: the latest comes first and replaces an older entry of its firm; the oldest goes.</summary>
    /// <remarks>Latest first: the rest is copied as it stands from its beginning on. To go on after an entry left out is what a small model mixes up.</remarks>
    private static TrainingText Update(StreamRandom random, TariffQuestion q)
    {
        var old = new List<(InventedName Firm, Tariff Tariff)>();
        for (var more = random.Weighted(LessonSizes); more > 0; more--)
        {
            var entry = random.Flip(.3) ? (q.Firm.Sibling(random), Tariff.Draw(random, Share.Trained, q.Tariff)) : (InventedName.Draw(random), Tariff.Draw(random, Share.Trained));
            if (old.TrueForAll(e => e.Firm != entry.Item1))
                old.Add(entry);
        }

        if (old.Count > 0 && random.Flip(.3))
            old[random.Next(old.Count)] = (q.Firm, random.Flip(.5) ? q.Tariff : Tariff.Draw(random, Share.Trained));
        return Learnt(Prompts.Update(Lessons(old), Worked(q), 400), Lessons(Updated(old, q)));
    }

    /// <summary>A running lesson, revised.</summary>
    public static List<(InventedName Firm, Tariff Tariff)> Updated(IEnumerable<(InventedName Firm, Tariff Tariff)> old, TariffQuestion q) =>
        [.. old.Where(e => e.Firm != q.Firm).Prepend((q.Firm, q.Tariff)).Take(RunningLesson)];

    /// <summary>Lessons as one text.</summary>
    public static string Lessons(IEnumerable<(InventedName Firm, Tariff Tariff)> entries) => string.Join(' ', entries.Select(e => Context.Lesson(e.Firm, e.Tariff)));

    /// <summary>A question as the library sees it.</summary>
    public static Question Asked(TariffQuestion q) => Question.FromText(q.Text);

    /// <summary>An attempt as the library sees it.</summary>
    public static Attempt Attempted(WorkedAttempt attempt) => new(0, attempt.Text, attempt.Final, default, null);

    /// <summary>The true case of a question.</summary>
    public static WorkedCase Worked(TariffQuestion q) => new(q.Text, WorkedAttempt.True(q).Text);

    private Context Remember(StreamRandom random, TariffQuestion q) => withMemory ? Context.Draw(random, q) : Context.Empty;

    private static WorkedAttempt? Failing(StreamRandom random, TariffQuestion q, IReadOnlyList<Tariff> tempting) =>
        NearMiss.Draw(random, q, tempting) is { } wrong ? WorkedAttempt.TryWith(q, wrong) : null;

    /// <summary>What feedback is asked for: mostly attempts that failed.</summary>
    private static WorkedAttempt Faulty(StreamRandom random, TariffQuestion q) =>
        (random.Flip(.55) ? Failing(random, q, []) : null) ?? Judged.Draw(random, q);

    private static TrainingText Learnt(Prompt prompt, string target) => new(prompt, [new(target, 1)]);
}

/// <summary>Attempts that come before the judge.</summary>
internal static class Judged
{
    /// <summary>Sound in half of the cases; else a slip, forged checks, or a failed check.</summary>
    public static WorkedAttempt Draw(StreamRandom random, TariffQuestion q) => (random.NextDouble() switch
    {
        < .40 => null,
        < .46 => WorkedAttempt.WithHarmlessSlip(random, q),
        < .60 => WorkedAttempt.WithSlip(random, q),
        < .72 => WorkedAttempt.WithOtherAnswer(random, q),
        < .95 => NearMiss.Draw(random, q) is { } wrong ? WorkedAttempt.Forge(q, wrong, random.Pick(Enum.GetValues<Forgery>())) : null,
        _ => q.Kind != QuestionKind.Sum && NearMiss.Draw(random, q) is { } wrong ? WorkedAttempt.TryWith(q, wrong) : null,
    }) ?? WorkedAttempt.True(q);
}
