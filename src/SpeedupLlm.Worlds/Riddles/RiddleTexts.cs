using SpeedupLlm.Compute;
using SpeedupLlm.Prompts;
using SpeedupLlm.Reasoning;

namespace SpeedupLlm.Worlds.Riddles;

/// <summary>All tasks of the compact prompts, with texts that a good reasoner would answer with. The mixture is Tariff World's; see there what each part answers to.</summary>
internal sealed class RiddleTexts(RuleBook book, bool withMemory)
{
    private static readonly (PromptTask, double)[] Shares =
    [
        (PromptTask.Guess, .25), (PromptTask.Think, .115), (PromptTask.Propose, .075), (PromptTask.Value, .02), (PromptTask.Restate, .045),
        (PromptTask.Verify, .135), (PromptTask.Compare, .075), (PromptTask.Feedback, .03), (PromptTask.Refine, .04), (PromptTask.Reflect, .015),
        (PromptTask.ReflectSeveral, .11), (PromptTask.Update, .09),
    ];

    private static readonly (int, double)[] LessonSizes = [(0, .10), (1, .15), (2, .20), (3, .25), (4, .30)];

    private static readonly CompactPrompts Prompts = new();

    /// <summary>How many subjects a running lesson speaks of.</summary>
    public const int RunningLesson = 4;

    /// <summary>One text.</summary>
    public TrainingText Sample(StreamRandom random)
    {
        var task = random.Weighted(Shares);
        var riddle = Riddle.Draw(random, book);
        return task switch
        {
            PromptTask.Guess => Guess(random, riddle),
            PromptTask.Think => Think(random, riddle),
            PromptTask.Propose => Propose(random, riddle),
            PromptTask.Value => Value(random, riddle),
            PromptTask.Restate or PromptTask.Verify or PromptTask.Compare => Judge(random, riddle, task),
            PromptTask.Feedback => Feedback(random, riddle),
            PromptTask.Refine => Refine(random, riddle),
            PromptTask.Reflect => Learnt(Prompts.Reflect([Worked(riddle)]), RiddleContext.Lesson(riddle)),
            PromptTask.ReflectSeveral => ReflectSeveral(random, riddle),
            _ => Update(random, riddle),
        };
    }

    private TrainingText Guess(StreamRandom random, Riddle riddle)
    {
        var context = Remember(random, riddle);
        var tried = random.Flip(.4) ? Failing(random, riddle, context.Rules) : null;
        return new(Prompts.Solve(PromptTask.Guess, Asked(riddle), context.Hints), [.. (tried ?? RiddleAttempt.True(riddle)).Segments()]);
    }

    /// <summary>Tries until one holds. No try is made twice.</summary>
    private TrainingText Think(StreamRandom random, Riddle riddle)
    {
        var context = Remember(random, riddle);
        var target = new List<Segment>();
        var tried = new HashSet<string>(StringComparer.Ordinal);
        for (var fails = 0; fails < 6 && random.Flip(.5); fails++)
            if (Failing(random, riddle, context.Rules) is { } failing && tried.Add(failing.Rule))
                target.AddRange(failing.Segments(target.Count > 0 ? " " : ""));
        target.AddRange(RiddleAttempt.True(riddle).Segments(target.Count > 0 ? " " : ""));
        return new(Prompts.Solve(PromptTask.Think, Asked(riddle), context.Hints), target);
    }

    private TrainingText Propose(StreamRandom random, Riddle riddle)
    {
        var context = Remember(random, riddle);
        var path = RiddleAttempt.True(riddle);
        var at = random.Flip(.4) ? 0 : random.Between(1, path.Steps.Count - 1);
        // from the first check on, near half of the paths turn out wrong
        if (at > 0 && at < path.Steps.Count - 1 && random.Flip(.45))
        {
            path = Failing(random, riddle, context.Rules);
            at = Math.Min(at, path.Steps.Count - 1);
        }

        return Learnt(Prompts.Propose(Asked(riddle), context.Hints, string.Join(' ', path.Steps.Take(at))), path.Steps[at]);
    }

    private static TrainingText Value(StreamRandom random, Riddle riddle)
    {
        var path = random.Flip(.55) ? Failing(random, riddle, []) : RiddleAttempt.True(riddle);
        var steps = random.Between(1, path.Steps.Count);
        return Learnt(Prompts.Value(Asked(riddle), string.Join(' ', path.Steps.Take(steps))), ValueOf(path, steps));
    }

    /// <summary>What a path of some steps is worth.</summary>
    public static string ValueOf(RiddleAttempt path, int steps) =>
        !path.Holds && steps == path.Steps.Count ? "none" : steps > path.Riddle.Pose.Clues.Count ? "sure" : "maybe";

    /// <summary>The three calls of factored verification, over attempts of every sort; near half of what is worked out is any rule, with no attempt behind it.</summary>
    private static TrainingText Judge(StreamRandom random, Riddle riddle, PromptTask task)
    {
        if (task == PromptTask.Verify && random.Flip(.45) && riddle.Book.Draw(random, Share.Trained) is var rule && riddle.Conclude(rule) is not null)
            return Learnt(Prompts.Verify(RiddleVerification.Restate(riddle, rule)), RiddleVerification.Verify(riddle, rule));
        var attempt = RiddleAttempt.Judged(random, riddle);
        var verification = RiddleVerification.Of(attempt);
        var text = task switch
        {
            PromptTask.Restate => Learnt(Prompts.Restate(Asked(riddle), Attempted(attempt)), verification.Restated),
            PromptTask.Verify => Learnt(Prompts.Verify(verification.Restated), verification.Verified),
            _ => Learnt(Prompts.Compare(Asked(riddle), Attempted(attempt), verification.Verified), verification.Compared),
        };
        return text with { LearnPrompt = task == PromptTask.Verify };
    }

    private static TrainingText Feedback(StreamRandom random, Riddle riddle)
    {
        var attempt = Faulty(random, riddle);
        return Learnt(Prompts.Feedback(Asked(riddle), Attempted(attempt)), RiddleVerification.Of(attempt).Remark) with { LearnPrompt = false };
    }

    private TrainingText Refine(StreamRandom random, Riddle riddle)
    {
        var context = Remember(random, riddle);
        var attempt = Faulty(random, riddle);
        // a wrong answer of the right rule needs no other rule
        var again = attempt.Rule != riddle.Rule && random.Flip(.3) && Failing(random, riddle, context.Rules) is var failing && failing.Rule != attempt.Rule
            ? failing : RiddleAttempt.True(riddle);
        return new(Prompts.Refine(Asked(riddle), context.Hints, Attempted(attempt), RiddleVerification.Of(attempt).Remark), [.. again.Segments()]) { LearnPrompt = false };
    }

    /// <summary>A lesson of each subject in the order in which the subjects come; the latest case of a subject counts.</summary>
    private static TrainingText ReflectSeveral(StreamRandom random, Riddle riddle)
    {
        var cases = new List<Riddle> { riddle };
        var oneSubject = random.Flip(.25); // what a memory meets most: the same subject again and again
        for (var more = random.Between(1, 3); more > 0; more--)
        {
            var like = random.Pick(cases);
            // whether the next case brings a new subject must not be guessed from what is frequent
            cases.Add(oneSubject ? like.Again(random) : random.NextDouble() switch
            {
                < .24 => like.Again(random),
                < .29 => Riddle.Draw(random, like.Book, like.Name, like.Book.DrawKin(random, Share.Trained, like.Rule)),
                < .64 => Riddle.Draw(random, like.Book, like.Name.Sibling(random), like.Book.DrawKin(random, Share.Trained, like.Rule)),
                _ => Riddle.Draw(random, like.Book),
            });
        }

        return Learnt(Prompts.Reflect([.. cases.Select(Worked)]), Lessons(cases));
    }

    /// <summary>A running lesson of at most four subjects: the latest comes first and replaces an older entry of its subject; the oldest goes.</summary>
    private static TrainingText Update(StreamRandom random, Riddle riddle)
    {
        var old = new List<Riddle>();
        for (var more = random.Weighted(LessonSizes); more > 0; more--)
        {
            var entry = random.Flip(.3) ? riddle with { Name = riddle.Name.Sibling(random), Rule = riddle.Book.DrawKin(random, Share.Trained, riddle.Rule) }
                : riddle with { Name = InventedName.Draw(random), Rule = riddle.Book.Draw(random, Share.Trained) };
            if (old.TrueForAll(e => e.Name != entry.Name))
                old.Add(entry);
        }

        if (old.Count > 0 && random.Flip(.3))
            old[random.Next(old.Count)] = random.Flip(.5) ? riddle : riddle with { Rule = riddle.Book.Draw(random, Share.Trained) };
        return Learnt(Prompts.Update(Lessons(old), Worked(riddle), 400), Lessons(Updated(old, riddle)));
    }

    /// <summary>A running lesson, revised.</summary>
    public static List<Riddle> Updated(IEnumerable<Riddle> old, Riddle riddle) => [.. old.Where(e => e.Name != riddle.Name).Prepend(riddle).Take(RunningLesson)];

    /// <summary>The lessons of cases as one text.</summary>
    public static string Lessons(IReadOnlyList<Riddle> cases) =>
        string.Join(' ', cases.Select(c => c.Name).Distinct().Select(n => RiddleContext.Lesson(cases.Last(c => c.Name == n))));

    /// <summary>A riddle as the library sees it.</summary>
    public static Question Asked(Riddle riddle) => Question.FromText(riddle.Text);

    /// <summary>An attempt as the library sees it.</summary>
    public static Attempt Attempted(RiddleAttempt attempt) => new(0, attempt.Text, attempt.Final, default, null);

    /// <summary>The true case of a riddle.</summary>
    public static WorkedCase Worked(Riddle riddle) => new(riddle.Text, RiddleAttempt.True(riddle).Text);

    private RiddleContext Remember(StreamRandom random, Riddle riddle) =>
        withMemory ? RiddleContext.Of(random, riddle, Recollection.Draw(random)) : RiddleContext.Empty;

    private static RiddleAttempt Failing(StreamRandom random, Riddle riddle, IReadOnlyList<string> tempting) =>
        RiddleAttempt.TryWith(riddle, riddle.NearMiss(random, tempting)) ?? throw new InvalidOperationException("A near miss fails at a clue.");

    /// <summary>What feedback is asked for: mostly attempts that failed.</summary>
    private static RiddleAttempt Faulty(StreamRandom random, Riddle riddle) =>
        random.Flip(.55) ? Failing(random, riddle, []) : RiddleAttempt.Judged(random, riddle);

    private static TrainingText Learnt(Prompt prompt, string target) => new(prompt, [new(target, 1)]);
}
