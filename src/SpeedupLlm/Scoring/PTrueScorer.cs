using SpeedupLlm.Compute;
using SpeedupLlm.Prompts;
using SpeedupLlm.Reasoning;

namespace SpeedupLlm.Scoring;

/// <summary>Options of <see cref="PTrueScorer"/>.</summary>
public sealed record PTrueOptions
{
    /// <summary>Alternatives asked for at each token, 1 to 20. "True" is looked for among them.</summary>
    public int TopLogProbs { get; init; } = 5;
}

/// <summary>P(True): the probability that the model gives to "true" where its verdict stands (arXiv 2207.05221).</summary>
/// <remarks>
/// The verdict is the last token that says something. If "true" is not among its alternatives, its probability is below theirs, and the score is 0.
/// A model that gives no log-probabilities leaves the attempt unscored: no value is made up (case 10). Model calls: one; three where verification is factored.
/// </remarks>
public sealed class PTrueScorer : IScorer
{
    private readonly PTrueOptions _options;

    /// <summary>Takes options.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public PTrueScorer(PTrueOptions? options = null)
    {
        _options = options ?? new();
        ArgumentOutOfRangeException.ThrowIfLessThan(_options.TopLogProbs, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(_options.TopLogProbs, 20);
    }

    /// <inheritdoc/>
    public string Name => "p-true";

    /// <inheritdoc/>
    public async ValueTask<Score> ScoreAsync(Attempt attempt, ISolveContext context, CancellationToken cancellationToken)
    {
        if (!context.Model.LogProbs)
            return Score.Unscored("the model gives no log-probabilities");
        var verification = new Verification(context, attempt, Name);
        var prompt = context.Prompts.FactoredVerification
            ? await verification.CompareAsync(cancellationToken).ConfigureAwait(false)
            : context.Prompts.IsTrue(context.Question, attempt);
        var reply = await verification.AskAsync(prompt with { TopLogProbs = _options.TopLogProbs }, draw: 0, cancellationToken).ConfigureAwait(false);
        if (reply.LogProbs is null)
            return Score.Unscored("the model gave no log-probabilities");
        return reply.LogProbs.LastOrDefault(Says) is { } verdict
            ? Score.Of(Math.Min(1, ProbabilityOfTrue(verdict, context.Prompts.TrueTokens)), $"verdict '{verdict.Text.Trim()}'")
            : Score.Unscored("the reply has no verdict");
    }

    /// <summary>The probability of all ways to say true, each counted once.</summary>
    private static double ProbabilityOfTrue(TokenLogProb verdict, IReadOnlyList<string> trueTokens) => verdict.Top
        .Append(new(verdict.Text, verdict.LogProb))
        .DistinctBy(t => t.Key, StringComparer.Ordinal)
        .Where(t => trueTokens.Any(w => string.Equals(w.Trim(), t.Key.Trim(), StringComparison.Ordinal)))
        .Sum(t => Math.Exp(t.Value));

    /// <summary>Not space, punctuation or a special token such as an end mark.</summary>
    private static bool Says(TokenLogProb token)
    {
        var text = token.Text.Trim();
        return text.Any(char.IsLetterOrDigit) && !(text[0] == '<' && text[^1] == '>');
    }
}
