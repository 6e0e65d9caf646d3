using Microsoft.Extensions.AI;
using SpeedupLlm.Memory;
using SpeedupLlm.Reasoning;
using SpeedupLlm.Scoring;

namespace SpeedupLlm.Prompts;

/// <summary>What a prompt asks for.</summary>
public enum PromptTask
{
    /// <summary>One attempt.</summary>
    Guess,

    /// <summary>One long thought with self-checks and backtracking.</summary>
    Think,

    /// <summary>The next step of a path.</summary>
    Propose,

    /// <summary>How promising a path is.</summary>
    Value,

    /// <summary>A verdict on an attempt, in one call.</summary>
    Judge,

    /// <summary>What has to be verified in an attempt, without its results (factored verification, arXiv 2309.11495).</summary>
    Restate,

    /// <summary>Works out what was restated, without seeing the attempt.</summary>
    Verify,

    /// <summary>Compares an attempt with what was worked out blind.</summary>
    Compare,

    /// <summary>What is wrong with an attempt.</summary>
    Feedback,

    /// <summary>A better attempt after feedback.</summary>
    Refine,

    /// <summary>One lesson from one episode.</summary>
    Reflect,

    /// <summary>One lesson from several episodes.</summary>
    ReflectSeveral,

    /// <summary>A running lesson, revised with an episode.</summary>
    Update,

    /// <summary>Whether two answers mean the same.</summary>
    Equivalent,
}

/// <summary>What is sent to the model.</summary>
/// <param name="Task">What it asks for.</param>
/// <param name="Messages">The messages; remembered and user text in them is data, never a system message.</param>
/// <param name="MaxOutputTokens">Cap of the answer in tokens, or null for the model's own.</param>
/// <param name="Temperature">0 is greedy; null is the model's default.</param>
public sealed record Prompt(PromptTask Task, IReadOnlyList<ChatMessage> Messages, int? MaxOutputTokens, float? Temperature)
{
    /// <summary>How many log-probabilities a token are wanted, or null for none.</summary>
    public int? TopLogProbs { get; init; }

    /// <summary>How hard a reasoning model should think: <c>low</c>, <c>medium</c>, <c>high</c>, or null for its default.</summary>
    public string? ReasoningEffort { get; init; }

    /// <summary>What the caller asked of the text (<see cref="Question.Options"/>), for calls that draw it; null for the library's own.</summary>
    public ChatOptions? Options { get; init; }
}

/// <summary>A past question with its worked answer.</summary>
public sealed record WorkedCase(string Question, string Answer);

/// <summary>All the words that the library says to a model, and how it reads the answers. Pure; thread-safe.</summary>
/// <remarks>User text, attempts and remembered text are escaped: none of the set's delimiters can be forged by them (cases 18 and 24).</remarks>
public interface IPromptSet
{
    /// <summary>The name in the catalogue.</summary>
    string Name { get; }

    /// <summary>Changes when a prompt changes; memory made with other prompts is scoped apart.</summary>
    string Fingerprint { get; }

    /// <summary>One attempt (<see cref="PromptTask.Guess"/>) or one long thought (<see cref="PromptTask.Think"/>).</summary>
    Prompt Solve(PromptTask task, Question question, IReadOnlyList<Hint> hints);

    /// <summary>The answer that a thought would give if it had to end here (a probe, arXiv 2412.20993). By default the next step.</summary>
    Prompt Probe(Question question, IReadOnlyList<Hint> hints, string thought) => Propose(question, hints, thought);

    /// <summary>The next step after <paramref name="path"/> (empty: the first).</summary>
    Prompt Propose(Question question, IReadOnlyList<Hint> hints, string path);

    /// <summary>How promising a path is; needs no hints.</summary>
    Prompt Value(Question question, string path);

    /// <summary>The value in [0, 1] that a reply to <see cref="Value"/> says, or unscored.</summary>
    Score ReadValue(string reply);

    /// <summary>A path with one more step.</summary>
    string Extend(string path, string step) => path.Length == 0 ? step.Trim() : path + " " + step.Trim();

    /// <summary>Whether a path has come to a final answer.</summary>
    bool IsAnswered(string path);

    /// <summary>Whether judging goes through <see cref="Restate"/>, <see cref="Verify"/> and <see cref="Compare"/> instead of one <see cref="Judge"/> call.</summary>
    bool FactoredVerification { get; }

    /// <summary>A verdict in one call.</summary>
    Prompt Judge(Question question, Attempt attempt);

    /// <summary>First call of factored verification: what is to be worked out, without the attempt's results.</summary>
    Prompt Restate(Question question, Attempt attempt);

    /// <summary>Second call: works it out blind.</summary>
    Prompt Verify(string restated);

    /// <summary>Third call: compares.</summary>
    Prompt Compare(Question question, Attempt attempt, string verified);

    /// <summary>The score in [0, 1] that a reply to <see cref="Judge"/> or <see cref="Compare"/> says; strict: prose is unscored (case 38).</summary>
    Score ReadVerdict(string reply);

    /// <summary>Asks whether an attempt is true, to be answered by one of <see cref="TrueTokens"/> or its opposite. By default the prompt of <see cref="Judge"/>; not used when judging is factored.</summary>
    Prompt IsTrue(Question question, Attempt attempt) => Judge(question, attempt);

    /// <summary>The tokens whose probability is the chance of "true" for a p-true score (arXiv 2207.05221), as text; the rest of the mass is "false".</summary>
    IReadOnlyList<string> TrueTokens { get; }

    /// <summary>What is wrong with an attempt.</summary>
    Prompt Feedback(Question question, Attempt attempt);

    /// <summary>Whether a reply to <see cref="Feedback"/> says that nothing is wrong.</summary>
    bool IsSatisfied(string feedback) => false;

    /// <summary>A better attempt.</summary>
    Prompt Refine(Question question, IReadOnlyList<Hint> hints, Attempt attempt, string feedback);

    /// <summary>A lesson from one case (<see cref="PromptTask.Reflect"/>) or several (<see cref="PromptTask.ReflectSeveral"/>).</summary>
    Prompt Reflect(IReadOnlyList<WorkedCase> cases);

    /// <summary>A running lesson of at most <paramref name="maximumCharacters"/>, revised with a case.</summary>
    Prompt Update(string lesson, WorkedCase latest, int maximumCharacters);

    /// <summary>Whether two free-text answers to a question mean the same.</summary>
    Prompt Equivalent(Question question, string one, string other);

    /// <summary>What a reply to <see cref="Equivalent"/> says, or null if it says neither; strict.</summary>
    bool? ReadEquivalent(string reply) => null;

    /// <summary>The final answer in an attempt's text, or null.</summary>
    string? Final(string text);

    /// <summary>The final answer in an attempt at a question: where the caller asked for a format, what obeys it, or null.</summary>
    string? Final(Question question, string text) => Final(text);

    /// <summary>The part of an accepted attempt that is worth remembering: dead ends removed.</summary>
    string Worked(string text);

    /// <summary>Fine-tuning pairs from a case, for methods that start with <paramref name="entry"/>.</summary>
    IReadOnlyList<TrainingPair> TrainingPairs(PromptTask entry, WorkedCase worked);
}
