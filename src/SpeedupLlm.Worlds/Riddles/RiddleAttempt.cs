using SpeedupLlm.Compute;

namespace SpeedupLlm.Worlds.Riddles;

/// <summary>How the checks of an attempt are forged.</summary>
internal enum Forgery
{
    /// <summary>Worked out rightly and called ok all the same.</summary>
    Ignored,

    /// <summary>The working ends at what the clue says.</summary>
    Bent,

    /// <summary>Another clue is named than the question's.</summary>
    Misquoted,
}

/// <summary>A try of one rule at a riddle, as the reasoner writes it: the rule, a check of each clue, the answer. It ends at the first clue that does not fit.</summary>
/// <remarks>The form is Tariff World's, for the same reasons: a working stands before what it is held against, and each try names its subject.</remarks>
/// <param name="Riddle">What is asked.</param>
/// <param name="Rule">The rule that is tried.</param>
/// <param name="Steps">What is proposed at a time: the rule, a check of each clue, what is asked with the answer.</param>
/// <param name="Final">The final answer, or null if a check failed.</param>
internal sealed record RiddleAttempt(Riddle Riddle, string Rule, IReadOnlyList<string> Steps, string? Final)
{
    /// <summary>The whole text.</summary>
    public string Text => string.Join(' ', Steps);

    /// <summary>Whether it comes to an answer.</summary>
    public bool Holds => Final is not null;

    /// <summary>What is learnt of it: all, but of a failing try not the rule.</summary>
    public IEnumerable<Segment> Segments(string before = "")
    {
        if (Holds)
            return [new(before + Text, 1)];
        var opening = $"Try {Riddle.Name.Name} {Riddle.Book.Verb}";
        return [new(before + opening, 1), new(" " + Rule, 0), new(Text[(opening.Length + 1 + Rule.Length)..], 1)];
    }

    /// <summary>The sound attempt with the true rule.</summary>
    public static RiddleAttempt True(Riddle riddle) =>
        TryWith(riddle, riddle.Rule) ?? throw new InvalidOperationException("A riddle's own rule answers it.");

    /// <summary>The honest attempt with a rule: ends at the first clue that does not fit. Null if all fit and the rule still gives no answer.</summary>
    public static RiddleAttempt? TryWith(Riddle riddle, string rule)
    {
        var steps = new List<string> { Opening(riddle, rule) };
        for (var i = 0; i < riddle.Pose.Clues.Count; i++)
        {
            var working = riddle.Check(rule, i);
            var fits = string.Equals(working.Result, riddle.Given(i), StringComparison.Ordinal);
            steps.Add(Check(working, riddle.Given(i), fits));
            if (!fits)
                return new(riddle, rule, steps, null);
        }

        return Ended(riddle, rule, steps, riddle.Work(rule));
    }

    /// <summary>An attempt that says <c>ok</c> to clues that do not fit. Null if the rule gives no answer.</summary>
    public static RiddleAttempt? Forge(Riddle riddle, string rule, Forgery how)
    {
        var steps = new List<string> { Opening(riddle, rule) };
        for (var i = 0; i < riddle.Pose.Clues.Count; i++)
        {
            var (working, given) = (riddle.Check(rule, i), riddle.Given(i));
            steps.Add(Check(how == Forgery.Bent ? working.Bent(given) : working, how == Forgery.Misquoted ? working.Result : given, true));
        }

        return Ended(riddle, rule, steps, riddle.Work(rule));
    }

    /// <summary>The true rule with a slip on the way to the answer, which is wrong then.</summary>
    public static RiddleAttempt WithSlip(StreamRandom random, Riddle riddle)
    {
        var steps = True(riddle).Steps.SkipLast(1).ToList();
        for (var tries = 0; tries < 20; tries++)
        {
            var asked = riddle.Work(riddle.Rule);
            var at = random.Next(asked.Count);
            asked[at] = asked[at].Bent(riddle.Book.WrongResult(random, riddle.Kind, asked[at].Result));
            if (Ended(riddle, riddle.Rule, steps, asked) is { } slipped && !string.Equals(slipped.Final, riddle.Answer, StringComparison.Ordinal))
                return slipped;
        }

        return WithOtherAnswer(random, riddle);
    }

    /// <summary>The true rule and workings, and an answer that does not follow from them.</summary>
    public static RiddleAttempt WithOtherAnswer(StreamRandom random, Riddle riddle)
    {
        var right = True(riddle);
        var other = riddle.Book.WrongAnswer(random, riddle.Kind, riddle.Answer);
        var last = right.Steps[^1];
        return right with { Steps = [.. right.Steps.SkipLast(1), last[..last.LastIndexOf("Answer ", StringComparison.Ordinal)] + $"Answer {other}."], Final = other };
    }

    /// <summary>The true rule and answer with a slip in one check that is called ok all the same: untidy, and right.</summary>
    public static RiddleAttempt WithHarmlessSlip(StreamRandom random, Riddle riddle)
    {
        var right = True(riddle);
        var at = random.Next(riddle.Pose.Clues.Count);
        var slipped = riddle.Check(riddle.Rule, at).Bent(riddle.Book.WrongResult(random, RuleBook.Clue, riddle.Given(at)));
        return right with { Steps = [.. right.Steps.Select((s, i) => i == at + 1 ? Check(slipped, riddle.Given(at), true) : s)] };
    }

    /// <summary>Attempts that come before the judge: sound in near half of the cases; else a slip, forged checks, or a failed check.</summary>
    public static RiddleAttempt Judged(StreamRandom random, Riddle riddle) => (random.NextDouble() switch
    {
        < .40 => null,
        < .46 => WithHarmlessSlip(random, riddle),
        < .60 => WithSlip(random, riddle),
        < .72 => WithOtherAnswer(random, riddle),
        < .95 => Forge(riddle, Tempting(random, riddle), random.Pick(Enum.GetValues<Forgery>())),
        _ => TryWith(riddle, riddle.NearMiss(random, [])),
    }) ?? True(riddle);

    /// <summary>A wrong rule that a hurried judge takes for the right one: mostly one that differs in a part only.</summary>
    public static string Tempting(StreamRandom random, Riddle riddle)
    {
        for (var tries = 0; tries < 6 && random.Flip(.9); tries++)
            if (riddle.Book.DrawKin(random, Share.Trained, riddle.Rule) is var kin && !riddle.Explains(kin))
                return kin;
        return riddle.NearMiss(random, []);
    }

    /// <summary>The sentence that holds a working against what the clue says.</summary>
    public static string Check(Working working, string given, bool fits) => $"{working.Text}, clue {given} {(fits ? "ok" : "no")}.";

    private static string Opening(Riddle riddle, string rule) => $"Try {riddle.Name.Name} {riddle.Book.Verb} {rule}.";

    private static RiddleAttempt? Ended(Riddle riddle, string rule, IEnumerable<string> steps, IReadOnlyList<Working> asked)
    {
        if (riddle.Book.Conclude(riddle.Kind, asked) is not var (sentence, answer))
            return null;
        var sentences = asked.Select(w => w.Text + ".").Append(sentence).Append($"Answer {answer}.").Where(s => s.Length > 0);
        return new(riddle, rule, [.. steps, string.Join(' ', sentences)], answer);
    }
}
