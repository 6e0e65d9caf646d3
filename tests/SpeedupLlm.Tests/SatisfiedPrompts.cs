using SpeedupLlm.Memory;
using SpeedupLlm.Prompts;
using SpeedupLlm.Reasoning;
using SpeedupLlm.Scoring;

namespace SpeedupLlm.Tests;

/// <summary>The compact prompts, but judged in one call, and with a word for "nothing is wrong".</summary>
internal sealed class SatisfiedPrompts : IPromptSet
{
    private readonly CompactPrompts _inner = new();

    public string Name => "satisfied";

    public string Fingerprint => "satisfied-1";

    public bool FactoredVerification => false;

    public IReadOnlyList<string> TrueTokens { get; } = ["True", "Yes"];

    public Prompt Solve(PromptTask task, Question question, IReadOnlyList<Hint> hints) => _inner.Solve(task, question, hints);

    public Prompt Propose(Question question, IReadOnlyList<Hint> hints, string path) => _inner.Propose(question, hints, path);

    public Prompt Value(Question question, string path) => _inner.Value(question, path);

    public Score ReadValue(string reply) => _inner.ReadValue(reply);

    public bool IsAnswered(string path) => _inner.IsAnswered(path);

    public Prompt Judge(Question question, Attempt attempt) => _inner.Restate(question, attempt) with { Task = PromptTask.Judge };

    public Prompt Restate(Question question, Attempt attempt) => throw new NotSupportedException();

    public Prompt Verify(string restated) => throw new NotSupportedException();

    public Prompt Compare(Question question, Attempt attempt, string verified) => throw new NotSupportedException();

    public Score ReadVerdict(string reply) => _inner.ReadVerdict(reply);

    public Prompt Feedback(Question question, Attempt attempt) => _inner.Feedback(question, attempt);

    public bool IsSatisfied(string feedback) => feedback == "fine";

    public Prompt Refine(Question question, IReadOnlyList<Hint> hints, Attempt attempt, string feedback) => _inner.Refine(question, hints, attempt, feedback);

    public Prompt Reflect(IReadOnlyList<WorkedCase> cases) => _inner.Reflect(cases);

    public Prompt Update(string lesson, WorkedCase latest, int maximumCharacters) => _inner.Update(lesson, latest, maximumCharacters);

    public Prompt Equivalent(Question question, string one, string other) => _inner.Equivalent(question, one, other);

    public string? Final(string text) => _inner.Final(text);

    public string Worked(string text) => _inner.Worked(text);

    public IReadOnlyList<TrainingPair> TrainingPairs(PromptTask entry, WorkedCase worked) => _inner.TrainingPairs(entry, worked);
}
