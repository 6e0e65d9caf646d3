using System.Globalization;
using SpeedupLlm.Compute;
using SpeedupLlm.Reasoning;
using SpeedupLlm.Scoring;
using SpeedupLlm.Testing;

namespace SpeedupLlm.Tests;

/// <summary>Short forms for tests that solve a question.</summary>
internal static class Solving
{
    public static Question Question { get; } = Question.FromText("What is six times seven?", "q");

    /// <summary>Solves with a fixed stream, and by default with a scorer that knows the answer.</summary>
    public static ValueTask<Solution> SolveAsync(
        this ScriptedChatClient model, IScalingMethod method, IScorer? scorer = null, double threshold = 0.5, Budget? budget = null, long seed = 0,
        CancellationToken cancellationToken = default) =>
        new Solver(model, Options(method, scorer, threshold, budget, seed, model.Clock)).SolveAsync(Question, cancellationToken);

    public static SolverOptions Options(
        IScalingMethod method, IScorer? scorer = null, double threshold = 0.5, Budget? budget = null, long seed = 0, TimeProvider? clock = null) => new()
        {
            Scaling = method,
            Scorer = scorer ?? FakeScorer.Right(),
            Threshold = threshold,
            Memory = null,
            Budget = budget ?? Budget.Unlimited,
            Stream = StreamKey.Root(seed),
            Clock = clock ?? TimeProvider.System,
        };

    /// <summary>A model that answers these, one attempt after another.</summary>
    public static ScriptedChatClient Answers(params string[] answers) =>
        ScriptedChatClient.Replies([.. answers.Select(a => new ScriptedReply($"Try. Answer {a}."))]);

    /// <summary>A scorer that reads the score off the final answer: <c>7</c> is 0.7.</summary>
    public static FakeScorer Tenths { get; } = new(a => Score.Of(double.Parse(a.Final!, CultureInfo.InvariantCulture) / 10));
}
