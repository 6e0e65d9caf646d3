namespace SpeedupLlm.Worlds.Riddles;

/// <summary>What the judge writes: the work restated without results, worked out blind, and compared (factored verification, arXiv 2309.11495).</summary>
/// <param name="Restated">The attempt's rule, the probes of the clues, the kind of question and its probes.</param>
/// <param name="Verified">The workings of all that, and the conclusion.</param>
/// <param name="Compared">Each working beside what the question or the attempt says, up to the first that differs, and the verdict.</param>
/// <param name="Remark">What feedback says: the same checks made anew, with the workings of what is asked.</param>
/// <param name="Good">The verdict.</param>
internal sealed record RiddleVerification(string Restated, string Verified, string Compared, string Remark, bool Good)
{
    /// <summary>Verifies an attempt.</summary>
    public static RiddleVerification Of(RiddleAttempt attempt)
    {
        var (riddle, rule) = (attempt.Riddle, attempt.Rule);
        var checks = new List<string>();
        var good = true;
        for (var i = 0; i < riddle.Pose.Clues.Count && good; i++)
        {
            var working = riddle.Check(rule, i);
            good = string.Equals(working.Result, riddle.Given(i), StringComparison.Ordinal);
            checks.Add(RiddleAttempt.Check(working, riddle.Given(i), good));
        }

        var remark = new List<string>(checks);
        if (good && attempt.Final is { } final)
        {
            var asked = riddle.Work(rule);
            var (sentence, answer) = riddle.Book.Conclude(riddle.Kind, asked) ?? throw new InvalidOperationException("A rule that explains the clues and was answered with gives an answer.");
            good = string.Equals(answer, final, StringComparison.Ordinal);
            var conclusion = $"{(sentence.Length > 0 ? sentence.TrimEnd('.') : asked[^1].Text)}, Answer {final} {(good ? "ok" : "no")}.";
            remark.AddRange(asked.SkipLast(sentence.Length > 0 ? 0 : 1).Select(w => w.Text + "."));
            remark.Add(conclusion);
            checks.Add(conclusion);
        }
        else
        {
            good = false;
        }

        checks.Add(good ? "good" : "bad");
        return new(Restate(riddle, rule), Verify(riddle, rule), string.Join(' ', checks), string.Join(' ', remark), good);
    }

    /// <summary>What has to be worked out.</summary>
    public static string Restate(Riddle riddle, string rule) => $"{rule}. {Probes(riddle.Pose.Clues)} {riddle.Kind} {Probes(riddle.Pose.Asked)}";

    /// <summary>Worked out. A rule that gives no answer has no conclusion.</summary>
    public static string Verify(Riddle riddle, string rule)
    {
        var sentences = Enumerable.Range(0, riddle.Pose.Clues.Count).Select(i => riddle.Check(rule, i)).Concat(riddle.Work(rule)).Select(w => w.Text + ".");
        return string.Join(' ', sentences.Append(riddle.Conclude(rule)?.Sentence ?? "").Where(s => s.Length > 0));
    }

    private static string Probes(IEnumerable<string> probes) => string.Join(' ', probes.Select(p => p + "."));
}
