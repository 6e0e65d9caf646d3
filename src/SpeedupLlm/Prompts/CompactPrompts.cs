using System.Text;
using Microsoft.Extensions.AI;
using SpeedupLlm.Memory;
using SpeedupLlm.Reasoning;
using SpeedupLlm.Scoring;

namespace SpeedupLlm.Prompts;

/// <summary>The embedded reasoner's prompts: a system message of one task word, a user message of tagged sections.</summary>
/// <remarks>
/// The chat template of the embedded reasoner turns tags into special tokens and puts the task last, so that all tasks of a question share its prefix.
/// Training texts are made with this very class: what is trained is what is asked. Judging is factored (arXiv 2309.11495): a small model
/// that sees the claimed result copies it instead of reckoning, so it restates the work without results, works it out blind, and compares.
/// </remarks>
public sealed class CompactPrompts : IPromptSet
{
    /// <summary>Opens a remembered case.</summary>
    public const string Past = "<past>";

    /// <summary>Opens a lesson.</summary>
    public const string Lesson = "<lesson>";

    /// <summary>Opens a question.</summary>
    public const string QuestionTag = "<question>";

    /// <summary>Opens an attempt.</summary>
    public const string AttemptTag = "<attempt>";

    /// <summary>Opens feedback.</summary>
    public const string Remark = "<remark>";

    /// <summary>Opens what is to be verified, or what verification gave.</summary>
    public const string Check = "<check>";

    /// <summary>Ends every text.</summary>
    public const string End = "<end>";

    /// <summary>The section tags, in the order of their tokens.</summary>
    public static IReadOnlyList<string> SectionTags { get; } = [Past, Lesson, QuestionTag, AttemptTag, Remark, Check];

    /// <summary>The tasks that the embedded reasoner is trained for, in the order of their tokens.</summary>
    public static IReadOnlyList<PromptTask> Tasks { get; } =
    [
        PromptTask.Guess, PromptTask.Think, PromptTask.Propose, PromptTask.Value, PromptTask.Restate, PromptTask.Verify, PromptTask.Compare,
        PromptTask.Feedback, PromptTask.Refine, PromptTask.Reflect, PromptTask.ReflectSeveral, PromptTask.Update,
    ];

    /// <summary>The word of a task: what stands in the system message.</summary>
    public static string Word(PromptTask task) => task switch
    {
        PromptTask.ReflectSeveral => "reflect-several",
        _ => task.ToString().ToLowerInvariant(),
    };

    /// <summary>The special token of a task, such as <c>&lt;guess&gt;</c>.</summary>
    public static string Tag(PromptTask task) => $"<{Word(task)}>";

    /// <inheritdoc/>
    public string Name => "compact";

    /// <inheritdoc/>
    public string Fingerprint => "compact-1";

    /// <inheritdoc/>
    public bool FactoredVerification => true;

    /// <inheritdoc/>
    public IReadOnlyList<string> TrueTokens { get; } = [" good"];

    /// <inheritdoc/>
    public Prompt Solve(PromptTask task, Question question, IReadOnlyList<Hint> hints) =>
        task is PromptTask.Guess or PromptTask.Think
            ? Make(task, task == PromptTask.Guess ? 140 : 480, null, Sections(hints, question))
            : throw new ArgumentOutOfRangeException(nameof(task), task, "An attempt starts with a guess or a thought.");

    /// <inheritdoc/>
    public Prompt Propose(Question question, IReadOnlyList<Hint> hints, string path) =>
        Make(PromptTask.Propose, 100, null, Sections(hints, question).Append((AttemptTag, path)));

    /// <inheritdoc/>
    public Prompt Value(Question question, string path) =>
        Make(PromptTask.Value, 4, 0, [(QuestionTag, question.Text), (AttemptTag, path)]);

    /// <inheritdoc/>
    public Score ReadValue(string reply) => Trimmed(reply) switch
    {
        "sure" => new(1),
        "maybe" => new(0.5),
        "none" => new(0),
        _ => Score.Unscored("not a value: " + Cut(reply)),
    };

    /// <inheritdoc/>
    public bool IsAnswered(string path) => Final(path) is not null;

    /// <inheritdoc/>
    public Prompt Judge(Question question, Attempt attempt) =>
        throw new NotSupportedException("The compact prompts judge by factored verification.");

    /// <inheritdoc/>
    public Prompt Restate(Question question, Attempt attempt) =>
        Make(PromptTask.Restate, 80, 0, [(QuestionTag, question.Text), (AttemptTag, Worked(attempt.Text))]);

    /// <inheritdoc/>
    public Prompt Verify(string restated) => Make(PromptTask.Verify, 140, 0, [(Check, restated)]);

    /// <inheritdoc/>
    public Prompt Compare(Question question, Attempt attempt, string verified) =>
        Make(PromptTask.Compare, 90, 0, [(QuestionTag, question.Text), (AttemptTag, Worked(attempt.Text)), (Check, verified)]);

    /// <inheritdoc/>
    public Score ReadVerdict(string reply)
    {
        var text = Trimmed(reply);
        var word = text[(text.LastIndexOf(' ') + 1)..];
        return word switch
        {
            "good" => new(1),
            "bad" => new(0),
            _ => Score.Unscored("not a verdict: " + Cut(reply)),
        };
    }

    /// <inheritdoc/>
    public Prompt Feedback(Question question, Attempt attempt) =>
        Make(PromptTask.Feedback, 110, 0, [(QuestionTag, question.Text), (AttemptTag, Worked(attempt.Text))]);

    /// <inheritdoc/>
    public Prompt Refine(Question question, IReadOnlyList<Hint> hints, Attempt attempt, string feedback) =>
        Make(PromptTask.Refine, 140, null, Sections(hints, question).Append((AttemptTag, Worked(attempt.Text))).Append((Remark, feedback)));

    /// <inheritdoc/>
    public Prompt Reflect(IReadOnlyList<WorkedCase> cases) => Make(
        cases.Count == 1 ? PromptTask.Reflect : PromptTask.ReflectSeveral, 40 * Math.Max(1, cases.Count), 0, cases.SelectMany(CaseSections));

    /// <inheritdoc/>
    public Prompt Update(string lesson, WorkedCase latest, int maximumCharacters) =>
        Make(PromptTask.Update, 160, 0, CaseSections(latest).Prepend((Lesson, lesson)));

    /// <inheritdoc/>
    public Prompt Equivalent(Question question, string one, string other) =>
        throw new NotSupportedException("The embedded reasoner's answers are numbers and choices; it compares no free text.");

    /// <inheritdoc/>
    public string? Final(string text)
    {
        const string marker = "Answer ";
        var at = text.LastIndexOf(marker, StringComparison.Ordinal);
        if (at < 0)
            return null;
        var answer = text[(at + marker.Length)..];
        var end = answer.IndexOf('.', StringComparison.Ordinal);
        return end > 0 ? answer[..end].Trim() : null;
    }

    /// <inheritdoc/>
    public string Worked(string text)
    {
        var at = text.LastIndexOf("Try ", StringComparison.Ordinal);
        return at > 0 ? text[at..].Trim() : text.Trim();
    }

    /// <inheritdoc/>
    public IReadOnlyList<TrainingPair> TrainingPairs(PromptTask entry, WorkedCase worked)
    {
        var question = Question.FromText(worked.Question);
        return entry == PromptTask.Propose
            ? [new(Propose(question, [], ""), worked.Answer[..(worked.Answer.IndexOf('.', StringComparison.Ordinal) + 1)])]
            : [new(Solve(entry, question, []), worked.Answer)];
    }

    private static IEnumerable<(string Tag, string Text)> Sections(IReadOnlyList<Hint> hints, Question question) =>
        hints.SelectMany(HintSections).Append((QuestionTag, question.Text));

    private static IEnumerable<(string Tag, string Text)> HintSections(Hint hint) =>
        hint.Kind == HintKind.Case ? CaseSections(new(hint.Text, hint.Answer ?? "")) : [(Lesson, hint.Text)];

    private static IEnumerable<(string Tag, string Text)> CaseSections(WorkedCase worked) =>
        [(Past, worked.Question), (AttemptTag, worked.Answer)];

    private static Prompt Make(PromptTask task, int maximum, float? temperature, IEnumerable<(string Tag, string Text)> sections)
    {
        var text = new StringBuilder();
        foreach (var (tag, content) in sections)
            text.Append(text.Length > 0 ? " " : "").Append(tag).Append(content.Length > 0 ? " " : "").Append(Escape(content));
        return new(task, [new(ChatRole.System, Word(task)), new(ChatRole.User, text.ToString())], maximum, temperature);
    }

    /// <summary>Data cannot contain a tag: angle brackets become their look-alikes.</summary>
    private static string Escape(string text) => text.Replace('<', '‹').Replace('>', '›').Trim();

    private static string Trimmed(string reply) => reply.Trim().TrimEnd('.').TrimEnd();

    private static string Cut(string reply) =>
        reply.Length > 40 ? reply[..40] + "…" : reply;
}
