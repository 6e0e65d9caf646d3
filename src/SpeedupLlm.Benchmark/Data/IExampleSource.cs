using SpeedupLlm.Guard;
using SpeedupLlm.Relevancy;
using SpeedupLlm.Scoring;
using SpeedupLlm.Worlds;

namespace SpeedupLlm.Benchmark.Data;

/// <summary>Questions with their reference answers, in groups. Immutable; thread-safe.</summary>
public interface IExampleSource
{
    /// <summary>The name that the manifest carries, such as <c>tariff</c> or <c>jsonl:questions.jsonl</c>.</summary>
    string Name { get; }

    /// <summary>Changes when a question or an answer changes.</summary>
    string Fingerprint { get; }

    /// <summary>How many groups there are, or null for as many as one likes.</summary>
    int? Groups { get; }

    /// <summary>
    /// How many different questions a lifeline of this similarity has after level 0; <see cref="int.MaxValue"/> for as many as one likes.
    /// Null: the data has no levels; there is one round, every question is a group and counts, and similarity is <c>any</c>.
    /// </summary>
    int? LevelsAt(SimilarityLevel similarity);

    /// <summary>The question of a group at a level (0 is the base question, whatever the similarity).</summary>
    Example At(int group, SimilarityLevel similarity, int level);

    /// <summary>What a group is about; groups of one subject would mix up in one memory. By default each group is its own.</summary>
    string SubjectOf(int group) => group.ToString(System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>As <see cref="At"/>, from the moment on at which the group's hidden rule has changed. Null if rules never change.</summary>
    Example? AfterChange(int group, SimilarityLevel similarity, int level) => null;

    /// <summary>The question as the model is asked it.</summary>
    Question QuestionOf(Example example) => Question.FromText(example.Question, example.Id);

    /// <summary>Whether some answers are programs, which are judged by running them (<see cref="PythonSandbox"/>).</summary>
    bool AsksForPrograms => false;

    /// <summary>Worked solutions of other questions, which every memory of a run that is one long lifeline holds before the first question. By default none.</summary>
    IReadOnlyList<Example> Library => [];

    /// <summary>Says which final answers mean the same, for methods that let answers vote.</summary>
    IAnswerComparer Answers { get; }

    /// <summary>Evidence from other groups that rewordings keep their answer, for memories that answer them; null if there is none.</summary>
    ReuseEvidence? ReusePrior => null;

    /// <summary>Whether a final answer is the reference answer; null is no answer.</summary>
    ValueTask<bool> IsCorrectAsync(Example example, string? final, CancellationToken cancellationToken);
}
