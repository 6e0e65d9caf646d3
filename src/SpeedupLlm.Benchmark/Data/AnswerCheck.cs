using SpeedupLlm.Scoring;
using SpeedupLlm.Worlds;

namespace SpeedupLlm.Benchmark.Data;

/// <summary>Compares answers with the reference answer, and runs those that are programs with their tests.</summary>
/// <param name="programs">Runs programs; null where nobody allowed that.</param>
internal sealed class AnswerCheck(PythonSandbox? programs)
{
    public IAnswerComparer Answers { get; } = new AnswerComparer();

    /// <summary>The question as the model is asked it.</summary>
    public static Question QuestionOf(Example example)
    {
        var question = Question.FromText(example.Question, example.Id);
        return example.Tests.Length > 0 ? ProgramAnswer.Ask(question) : question;
    }

    /// <summary>Whether a final answer is right; null is no answer.</summary>
    /// <exception cref="InvalidOperationException">It is a program, and nobody allowed to run it.</exception>
    public async ValueTask<bool> IsCorrectAsync(Example example, string? final, CancellationToken cancellationToken)
    {
        if (example.Tests.Length == 0)
            return final is not null && await Answers.AreEquivalentAsync(example.Expected, final, null, cancellationToken).ConfigureAwait(false);
        if (programs is null)
            throw new InvalidOperationException("Programs are not run here.");
        return ProgramAnswer.Read(final) is { } program && await programs.PassesAsync(program, example.Tests, cancellationToken).ConfigureAwait(false);
    }
}
