using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Microsoft.Extensions.AI;
using SpeedupLlm.Prompts;
using SpeedupLlm.Worlds.Riddles;

namespace SpeedupLlm.Worlds.Tests.Riddles;

/// <summary>Answers all compact prompts as well as can be, from their text alone: proves that the prompts carry what the targets need.</summary>
/// <remarks>It knows what rules there are and what each makes of a probe, tries every one, and believes a remembered rule of the same subject that fits.</remarks>
internal sealed class PerfectReasoner(RuleBook book) : IChatClient
{
    public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var list = messages.ToList();
        var task = CompactPrompts.Tasks.Single(t => string.Equals(CompactPrompts.Word(t), list[0].Text, StringComparison.Ordinal));
        return Task.FromResult(new ChatResponse(new ChatMessage(ChatRole.Assistant, Reply(task, PieceSplit.Sections(new Prompt(task, list, null, null))))));
    }

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        foreach (var update in (await GetResponseAsync(messages, options, cancellationToken)).ToChatResponseUpdates())
            yield return update;
    }

    public object? GetService(Type serviceType, object? serviceKey = null) => null;

    public void Dispose()
    {
    }

    private string Reply(PromptTask task, List<(string Tag, string Text)> sections)
    {
        string Last(string tag) => sections.LastOrDefault(s => s.Tag == tag).Text ?? "";
        ReadRiddle Asked() => book.Wordings.Read(Last(CompactPrompts.QuestionTag))!;
        var attempt = Last(CompactPrompts.AttemptTag);
        switch (task)
        {
            case PromptTask.Guess or PromptTask.Think or PromptTask.Refine:
                return string.Join(' ', Steps(Asked(), Believed(sections, Asked())));
            case PromptTask.Propose:
                return Steps(Asked(), attempt.Length == 0 ? Believed(sections, Asked()) : Tried(attempt).Rule)[Oks(attempt) + (attempt.Length == 0 ? 0 : 1)];
            case PromptTask.Value:
                return attempt.EndsWith(" no.", StringComparison.Ordinal) ? "none" : Oks(attempt) == Asked().Given.Count ? "sure" : "maybe";
            case PromptTask.Restate:
                return $"{Tried(attempt).Rule}. {Sentences(Asked().Pose.Clues)} {Asked().Kind} {Sentences(Asked().Pose.Asked)}";
            case PromptTask.Verify:
                var kinds = string.Join('|', book.Kinds.Select(k => k.Kind));
                var m = Regex.Match(Last(CompactPrompts.Check), $@"^(?<rule>[^.]+)\. (?<clues>.+\.) (?<kind>{kinds}) (?<asked>.+)$");
                return Verified(m.Groups["rule"].Value, new(Split(m.Groups["clues"].Value), Split(m.Groups["asked"].Value)), m.Groups["kind"].Value);
            case PromptTask.Compare or PromptTask.Feedback:
                return Checked(Asked(), Tried(attempt).Rule, new CompactPrompts().Final(attempt), task == PromptTask.Compare);
            case PromptTask.Update:
                var (name, rule) = Tried(attempt);
                return string.Join(' ', Lessons(Last(CompactPrompts.Lesson)).Where(l => l.Name != name).Prepend((Name: name, Rule: rule)).Take(4).Select(l => $"{l.Name} {book.Verb} {l.Rule}."));
            default:
                var learnt = sections.Where(s => s.Tag == CompactPrompts.AttemptTag).Select(s => Tried(s.Text)).ToList();
                return string.Join(' ', learnt.Select(l => l.Name).Distinct(StringComparer.Ordinal).Select(n => $"{n} {book.Verb} {learnt.Last(l => l.Name == n).Rule}."));
        }
    }

    private string Believed(List<(string Tag, string Text)> sections, ReadRiddle q)
    {
        bool Fits(string rule) => q.Pose.Clues.Zip(q.Given).All(c => book.Work(rule, RuleBook.Clue, c.First).Result == c.Second) && Conclude(rule, q) is not null;
        var remembered = sections.Where(s => s.Tag is CompactPrompts.AttemptTag or CompactPrompts.Lesson).SelectMany(s => Lessons(s.Text));
        return remembered.Where(r => r.Name == q.Name).Select(r => r.Rule).FirstOrDefault(Fits) ?? book.All.First(Fits);
    }

    private (string Sentence, string Answer)? Conclude(string rule, ReadRiddle q) => book.Conclude(q.Kind, [.. q.Pose.Asked.Select(a => book.Work(rule, q.Kind, a))]);

    private List<string> Steps(ReadRiddle q, string rule)
    {
        var steps = new List<string> { $"Try {q.Name} {book.Verb} {rule}." };
        foreach (var (clue, given) in q.Pose.Clues.Zip(q.Given))
        {
            var working = book.Work(rule, RuleBook.Clue, clue);
            steps.Add($"{working.Text}, clue {given} {(working.Result == given ? "ok" : "no")}.");
            if (working.Result != given)
                return steps;
        }

        var (sentence, answer) = Conclude(rule, q)!.Value;
        steps.Add(string.Join(' ', q.Pose.Asked.Select(a => book.Work(rule, q.Kind, a).Text + ".").Append(sentence).Append($"Answer {answer}.").Where(s => s.Length > 0)));
        return steps;
    }

    private string Verified(string rule, Pose pose, string kind)
    {
        var asked = pose.Asked.Select(a => book.Work(rule, kind, a)).ToList();
        var all = pose.Clues.Select(c => book.Work(rule, RuleBook.Clue, c)).Concat(asked).Select(w => w.Text + ".");
        return string.Join(' ', all.Append(book.Conclude(kind, asked)?.Sentence ?? "").Where(s => s.Length > 0));
    }

    private string Checked(ReadRiddle q, string rule, string? final, bool verdict)
    {
        var fits = q.Pose.Clues.Zip(q.Given).All(c => book.Work(rule, RuleBook.Clue, c.First).Result == c.Second);
        var said = fits ? Steps(q, rule).Skip(1).Take(q.Given.Count).ToList() : Steps(q, rule).Skip(1).ToList();
        if (fits)
        {
            var (sentence, answer) = Conclude(rule, q)!.Value;
            var asked = q.Pose.Asked.Select(a => book.Work(rule, q.Kind, a).Text).Append(sentence.TrimEnd('.')).Where(s => s.Length > 0).ToList();
            if (!verdict)
                said.AddRange(asked.SkipLast(1).Select(s => s + "."));
            fits = answer == final;
            said.Add($"{asked[^1]}, Answer {final} {(fits ? "ok" : "no")}.");
        }

        return string.Join(' ', verdict ? said.Append(fits ? "good" : "bad") : said);
    }

    private (string Name, string Rule) Tried(string attempt) => Lessons(attempt).Last();

    private IEnumerable<(string Name, string Rule)> Lessons(string text) =>
        Regex.Matches(text, $@"(?:Try )?([A-Z][A-Za-z ]+?) {book.Verb} ([^.]+)\.").Select(m => (m.Groups[1].Value, m.Groups[2].Value));

    private static int Oks(string text) => Regex.Count(text, @" ok\.");

    private static string Sentences(IEnumerable<string> probes) => string.Join(' ', probes.Select(p => p + "."));

    private static string[] Split(string sentences) => sentences.Split('.', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
