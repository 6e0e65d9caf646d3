using System.Globalization;
using SpeedupLlm.Benchmark.Experiments;
using SpeedupLlm.Benchmark.Reporting;
using SpeedupLlm.Relevancy;

namespace SpeedupLlm.Cli.Terminal;

/// <summary>Writes an answer as it comes, and after it how it was reached and what it cost.</summary>
internal sealed class AnswerWriter(TextWriter output, ExperimentSettings settings)
{
    private int? _streaming;

    public void Write(SolveEvent happened)
    {
        switch (happened)
        {
            case RecallDone { Recalled: { Hints.Count: 0, Weights: null, Answer: null, Choice: null } }:
                break;
            case RecallDone { Recalled: var recalled }:
                output.WriteLine($"[memory: {recalled.Choice?.Plan ?? Describe(recalled.Relevance.Level, recalled.Hints.Count, recalled.Weights is not null, recalled.Answer is not null)}]");
                break;
            case AttemptDelta delta:
                if (_streaming != delta.Attempt)
                {
                    Break();
                    output.Write(string.Create(CultureInfo.InvariantCulture, $"{delta.Attempt + 1}. "));
                    _streaming = delta.Attempt;
                }

                output.Write(delta.Text.ReplaceLineEndings(" "));
                output.Flush();
                break;
            case AttemptScored { Attempt: var attempt }:
                Break();
                output.WriteLine("   → " + Judged(attempt));
                break;
        }
    }

    public void Conclude(AnswerAccount account)
    {
        Break();
        output.WriteLine();
        output.WriteLine(account.Answer ?? account.Text ?? "no answer");
        output.WriteLine();
        if (!account.Accepted)
            output.WriteLine("No attempt was accepted; this is the best of them.");
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"how      {account.Scaling}: {Count(account.Attempts.Count, "attempt")}, stopped by {account.Stop}, {account.ElapsedMs / 1000:0.00} s to the answer"));
        output.WriteLine("memory   " + Memory(account));
        foreach (var line in account.Bill)
        {
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"bill     {line.Purpose,-7} {Count(line.Calls, "call")}, {line.Input} tokens in ({line.CachedInput} cached), {line.Output} out")
                + (line.Trained > 0 ? string.Create(CultureInfo.InvariantCulture, $", {line.Trained} trained") : "") + (line.Estimated ? " (estimated)" : ""));
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"full cost {Format.Number((double)account.FullCost)}")
            + (account.PlainCallEstimate is { } plain ? $"; one plain call would cost about {Format.Number((double)plain)} (estimated from the first attempt)" : ""));
        if (account.Degraded is { } why)
            output.WriteLine($"memory is degraded: {why}");
    }

    private string Memory(AnswerAccount account)
    {
        if (settings.Memory[0] == "none")
            return "none";
        var recalled = account.Recalled;
        var used = recalled.Choice ?? Describe(Enum.Parse<SimilarityLevel>(recalled.Level), recalled.Hints.Count, recalled.Adapter is not null, recalled.StoredAnswer is not null);
        var kept = account.Episode is null ? "" : account.Learnt ? $"; learnt as {account.Episode}" : $"; kept as {account.Episode}, not to be reused";
        return $"{account.Memory}: {used}{kept}";
    }

    private static string Describe(SimilarityLevel level, int hints, bool weights, bool answer)
    {
        var parts = new List<string>();
        if (hints > 0)
            parts.Add(Count(hints, "hint") + " in the prompt");
        if (weights)
            parts.Add("adapted weights");
        if (answer)
            parts.Add("a stored answer");
        return parts.Count == 0 ? "nothing recalled" : $"{string.Join(", ", parts)}, nearest {(level == SimilarityLevel.Unrelated ? "unrelated" : level.ToString())}";
    }

    private static string Judged(SpeedupLlm.Reasoning.Attempt attempt) =>
        attempt.Error is { } error ? $"failed: {error}"
        : attempt.Score.Value is { } score ? string.Create(CultureInfo.InvariantCulture, $"{attempt.Final ?? "no answer"}, score {score:0.00}")
        : $"{attempt.Final ?? "no answer"}, unscored" + (attempt.Score.Reason is { } reason ? $" ({reason})" : "");

    private static string Count(int n, string what) => string.Create(CultureInfo.InvariantCulture, $"{n} {what}{(n == 1 ? "" : "s")}");

    private void Break()
    {
        if (_streaming is not null)
            output.WriteLine();
        _streaming = null;
    }
}
