using System.Globalization;
using SpeedupLlm.Benchmark.Experiments;

namespace SpeedupLlm.Benchmark.Sensitivity;

/// <summary>The sweeps of the study.</summary>
public static class Sweeps
{
    private const double Hundredths = 100;

    private static readonly string[] OfEachKind = ["none", "sft", "in-context", "reflect-update"];

    private static readonly string[] Cases = ["none", "in-context"];

    private static readonly string[] PaperMemories = ["none", "sft", "in-context", "reflect", "multi-reflect", "reflect-update"];

    private static readonly (int From, int To)[] Experience = [(0, 0), (1, 1), (2, 2), (3, 3), (4, 5), (6, 8), (9, 12), (13, 17), (18, 23), (24, 30)];

    private static readonly (int From, int To)[] QuickExperience = [(0, 0), (1, 1), (2, 2), (3, 4), (5, 6)];

    /// <summary>The names of all sweeps.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All(new()).Select(s => s.Name)];

    /// <summary>Some of the sweeps, in their own order.</summary>
    internal static IReadOnlyList<Sweep> Of(ExperimentSettings study, IReadOnlyList<string> names) => [.. All(study).Where(s => names.Contains(s.Name))];

    /// <summary>All sweeps around some settings.</summary>
    /// <remarks>Where nothing else is said: Best-of-N, at S3 and S4, no feedback, all levels with experience.</remarks>
    /// <param name="study">Model, groups, rounds, seed; quick ones have fewer values.</param>
    internal static IReadOnlyList<Sweep> All(ExperimentSettings study)
    {
        var around = study with { Scaling = ["best-of-n"], Memory = OfEachKind, Similarity = ["S3", "S4"] };
        var taught = around with { Feedback = FeedbackMode.Reference };
        return
        [
            Tau(around with { Scorer = "p-true" }),
            Counts("samples", "N of Best-of-N", "samples at most", 8, [1, 2, 4, 8, 16, 32], n => around with { Samples = n }),
            Counts("width", "the width of Tree-of-Thoughts", "proposals a node", 3, [1, 2, 3, 5], n => Tree(around) with { Width = n }),
            Counts("depth", "the depth of Tree-of-Thoughts", "steps of a path at most", 6, [3, 4, 6, 8], n => Tree(around) with { Depth = n }),
            Counts("nodes", "the size of Tree-of-Thoughts", "nodes at most", 16, [4, 8, 16, 32], n => Tree(around) with { Nodes = n }),
            Counts("refinements", "the length of Self-Refine", "answers at most", 6, [1, 2, 4, 6, 10], n => around with { Scaling = ["self-refine"], Refinements = n }),
            Counts("thinking", "the length of Long CoT", "tokens at most", 480, [120, 240, 480, 640], n => around with { Scaling = ["long-cot"], Thinking = n }),
            Counts("waves", "attempts drawn at once", "attempts in a wave", 1, [1, 2, 4, 8], n => around with { Waves = n }),
            RecalledCases(taught),
            ExperienceOf(taught with { Memory = PaperMemories }),
            JudgeError(around),
            LeastSimilarity("minimum-similarity", "the similarity below which a case is not used", taught with { Memory = Cases, Similarity = ["S1", "S2", "S3", "S4"] }),
            LeastSimilarity("strangers", "the same, where memory knows two other firms and nothing of this one", around with { Memory = Cases, Similarity = ["S3"], Distractors = 2 }),
            Budgets(study with { Memory = ["none", "auto"], Similarity = ["S3", "S4"] }),
        ];
    }

    private static ExperimentSettings Tree(ExperimentSettings around) => around with { Scaling = ["tree-of-thoughts"] };

    private static Sweep Tau(ExperimentSettings around) => new(
        "tau", "the score from which an attempt is accepted (τ); the protocol's judge says good or bad, so that the graded score P(true) takes its place", "τ, hundredths", "50, judge",
        [.. Some(around, [0.1, 0.3, 0.5, 0.7, 0.9, 1.1]).Select(tau => At("tau", tau, Hundredths * tau, around with { Tau = tau }))]);

    private static Sweep Counts(string name, string what, string axis, int protocol, int[] values, Func<int, ExperimentSettings> settings) => new(
        name, what, axis, Text(protocol), [.. Some(settings(1), values).Select(n => At(name, n, n, settings(n)))]);

    /// <summary>Only questions that had as many before them count, and each of these taught its worked solution: there are as many cases as may be recalled.</summary>
    private static Sweep RecalledCases(ExperimentSettings taught)
    {
        int[] counts = taught.Quick ? [0, 1, 3] : [0, 1, 2, 3, 5, 10];
        var rounds = counts[^1] + 2;
        return new("cases", "recalled cases, each with a worked solution", "cases in the prompt at most", "3",
            [.. counts.Select(n => At("cases", n, n, (n == 0 ? taught with { Memory = ["none"] } : taught with { Memory = Cases, Cases = n }) with { Rounds = rounds }) with { From = counts[^1] })]);
    }

    private static Sweep ExperienceOf(ExperimentSettings taught)
    {
        var bins = taught.Quick ? QuickExperience : Experience;
        var settings = taught with { Rounds = bins[^1].To };
        return new("experience", "experience: questions about the same subject that came before, each with a worked solution", "questions before", "1 to 4",
        [
            .. bins.Select(b => new SweepValue(
                b.From == b.To ? Text(b.From) : string.Create(CultureInfo.InvariantCulture, $"{b.From}–{b.To}"), (b.From + b.To) / 2.0, "experience", settings, b.From, b.To)),
        ]);
    }

    private static Sweep JudgeError(ExperimentSettings around) => new(
        "judge-error", "verdicts of the judge that are turned round on purpose", "wrong verdicts, %", "0",
        [.. Some(around, [0, 0.05, 0.1, 0.2, 0.3]).Select(rate => At("judge-error", Hundredths * rate, Hundredths * rate, around with { JudgeError = rate }))]);

    private static Sweep LeastSimilarity(string name, string what, ExperimentSettings around) => new(
        name, what, "cosine similarity at least, hundredths", "0",
        [.. Some(around, [0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95]).Select(least => At(name, least, Hundredths * least, around with { MinimumSimilarity = least }))]);

    private static Sweep Budgets(ExperimentSettings study) => new(
        "budget", "auto's search: always in full, or as far as experience says is worth it", "budget", "adaptive",
        [.. new[] { true, false }.Select(full => new SweepValue(full ? "fixed" : "adaptive", null, "budget-" + (full ? "fixed" : "adaptive"), study with { FixedBudget = full }, 1, int.MaxValue))]);

    private static SweepValue At(string name, double value, double x, ExperimentSettings settings) => new(Text(value), x, $"{name}-{Text(value)}", settings, 1, int.MaxValue);

    /// <summary>A quick study looks at the ends and the middle.</summary>
    private static T[] Some<T>(ExperimentSettings around, T[] values) => around.Quick ? [values[0], values[values.Length / 2], values[^1]] : values;

    private static string Text(double value) => value.ToString(CultureInfo.InvariantCulture);
}
