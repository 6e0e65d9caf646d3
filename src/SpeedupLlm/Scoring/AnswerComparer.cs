using SpeedupLlm.Compute;
using SpeedupLlm.Reasoning;
using SpeedupLlm.Relevancy;
using SpeedupLlm.Scoring.Answers;

namespace SpeedupLlm.Scoring;

/// <summary>Options of <see cref="AnswerComparer"/>.</summary>
public sealed record AnswerComparerOptions
{
    /// <summary>Whether a model is asked about two free texts that differ (purpose score; its tokens count). Default false. Never about numbers and choices, nor about texts whose numbers differ.</summary>
    public bool AskModel { get; init; }
}

/// <summary>
/// Compares final answers by meaning: numbers as exact fractions (1,000 = １０００ = 一千 = 1e3; 1/2 = 0.5 = 半; 1/3 ≠ 0.333), choices by letter or place,
/// texts by their words. Two answers that differ in one digit are never the same (case 41).
/// </summary>
/// <remarks>
/// Units must not contradict: 5 km is not 5 kg and 50 % is not 50 cents, but a bare 5 agrees with either, since answers leave the unit out as often as not.
/// So equivalence is transitive among answers whose units do not contradict; between contradicting units a bare number stands as a bridge.
/// Numbers that fit in no one number (dates, times, lists, "3 apples and 4 pears") are texts.
/// </remarks>
public sealed class AnswerComparer(AnswerComparerOptions options) : IAnswerComparer
{
    /// <summary>Without a model.</summary>
    public AnswerComparer()
        : this(new())
    {
    }

    /// <summary>Whether two final answers mean the same, as far as can be said without a model.</summary>
    public static bool AreEquivalent(string one, string other) =>
        string.Equals(one, other, StringComparison.Ordinal) || AnswerValue.Parse(one).Means(AnswerValue.Parse(other));

    /// <summary>One writing of an answer's meaning, such as <c>1/2</c>, <c>5 km</c>, <c>B</c> or <c>new york</c>: for showing and counting.</summary>
    public static string Canonical(string answer) => AnswerValue.Parse(answer).ToString();

    /// <inheritdoc/>
    /// <remarks>A model is asked once about a pair, whichever comes first, and once more if its reply is neither; a model that fails or will not say makes the answers different.</remarks>
    public async ValueTask<bool> AreEquivalentAsync(string one, string other, ISolveContext? context, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (string.Equals(one, other, StringComparison.Ordinal))
            return true;
        var (a, b) = (AnswerValue.Parse(one), AnswerValue.Parse(other));
        if (a.Means(b))
            return true;
        // a model that may call 41 and 42 the same is never asked about numbers
        if (!options.AskModel || context is null || !a.IsText || !b.IsText || !SameNumbers(one, other))
            return false;
        // in one order, so that the answer cannot depend on it
        var (first, second) = string.CompareOrdinal(one, other) < 0 ? (one, other) : (other, one);
        var stream = context.Stream.Child("equivalent").Child(first).Child(second);
        try
        {
            for (var draw = 0; draw < 2; draw++)
            {
                var prompt = context.Prompts.Equivalent(context.Question, first, second);
                var reply = await context.AskAsync(prompt, CallPurpose.Score, stream.Child(draw), draw, null, cancellationToken).ConfigureAwait(false);
                if (context.Prompts.ReadEquivalent(reply.Text) is { } same)
                    return same;
            }
        }
        catch (ModelFailedException)
        {
            // the failure is on record with the context; without a verdict they stay apart
        }
        return false;
    }

    private static bool SameNumbers(string one, string other) =>
        NumberSignature.Of(one).Equals(NumberSignature.Of(other)) && one.Where(char.IsDigit).SequenceEqual(other.Where(char.IsDigit));
}
