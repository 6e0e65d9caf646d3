using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Microsoft.Extensions.AI;
using SpeedupLlm.Compute;
using SpeedupLlm.Prompts;
using SpeedupLlm.Worlds.Tariffs;

namespace SpeedupLlm.Worlds.Tests.Tariffs;

/// <summary>Answers all compact prompts as well as can be, from their text alone: proves that the prompts carry what the targets need.</summary>
/// <remarks>It reads question and attempt, and knows arithmetic and the tariffs that there are, the likeliest first; it believes a remembered tariff of the same firm that fits.</remarks>
internal sealed class PerfectReasoner : IChatClient
{
    private static readonly Lazy<IReadOnlyList<Tariff>> Known = new(() =>
    {
        var random = new StreamRandom(StreamKey.Root(1));
        return [.. Enumerable.Range(0, 60_000).Select(_ => Tariff.Draw(random, Share.All)).CountBy(t => t).OrderByDescending(g => g.Value).ThenBy(g => g.Key.Text, StringComparer.Ordinal).Select(g => g.Key)];
    });

    public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var list = messages.ToList();
        var task = CompactPrompts.Tasks.Single(t => string.Equals(CompactPrompts.Word(t), list[0].Text, StringComparison.Ordinal));
        var sections = PieceSplit.Sections(new Prompt(task, list, null, null));
        return Task.FromResult(new ChatResponse(new ChatMessage(ChatRole.Assistant, Reply(task, sections))) { Usage = new() { OutputTokenCount = 10 } });
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

    private static string Reply(PromptTask task, List<(string Tag, string Text)> sections)
    {
        string Last(string tag) => sections.LastOrDefault(s => s.Tag == tag).Text ?? "";
        ReadQuestion Asked() => Wordings.Read(Last(CompactPrompts.QuestionTag))!;
        switch (task)
        {
            case PromptTask.Guess or PromptTask.Think or PromptTask.Refine:
                return string.Join(' ', Attempt(Asked(), Believed(sections, Asked())));
            case PromptTask.Propose:
                var path = Last(CompactPrompts.AttemptTag);
                var steps = Attempt(Asked(), path.Length == 0 ? Believed(sections, Asked()) : Tried(path).Tariff);
                return steps[Regex.Matches(path, @"charge |\bok\.").Count];
            case PromptTask.Value:
                var reached = Last(CompactPrompts.AttemptTag);
                return reached.EndsWith(" no.", StringComparison.Ordinal) ? "none" : Regex.Matches(reached, @" ok\.").Count == 2 ? "sure" : "maybe";
            case PromptTask.Restate:
                var (q, attempt) = (Asked(), Last(CompactPrompts.AttemptTag));
                var orders = q.Kind == QuestionKind.Sum ? [new Order(int.Parse(new CompactPrompts().Final(attempt)!, CultureInfo.InvariantCulture), q.Orders[0].Y)] : q.Orders;
                return Verification.Restate(Tried(attempt).Tariff, q.Bills, q.Kind, orders);
            case PromptTask.Verify:
                return Verified(Last(CompactPrompts.Check));
            case PromptTask.Compare:
                return Compared(Asked(), Last(CompactPrompts.AttemptTag), Last(CompactPrompts.Check));
            case PromptTask.Feedback:
                return Remark(Asked(), Last(CompactPrompts.AttemptTag));
            case PromptTask.Update:
                var (firm, tariff) = Tried(Last(CompactPrompts.AttemptTag));
                return string.Join(' ', Lessons(Last(CompactPrompts.Lesson)).Where(l => l.Firm != firm).Prepend((Firm: firm, Tariff: tariff)).Take(4).Select(l => $"{l.Firm} charge {l.Tariff.Text}."));
            default:
                var learnt = sections.Where(s => s.Tag == CompactPrompts.AttemptTag).Select(s => Tried(s.Text)).ToList();
                return string.Join(' ', learnt.Select(l => l.Firm).Distinct(StringComparer.Ordinal).Select(f => $"{f} charge {learnt.Last(l => l.Firm == f).Tariff.Text}."));
        }
    }

    private static Tariff Believed(List<(string Tag, string Text)> sections, ReadQuestion q)
    {
        bool Fits(Tariff t) => q.Bills.Zip(q.Totals).All(b => ReckoningTests.PlainPrice(t.Text, b.First.X, b.First.Y) == b.Second);
        var remembered = sections.Where(s => s.Tag == CompactPrompts.AttemptTag && s.Text.Length > 0).Select(s => Tried(s.Text))
            .Concat(sections.Where(s => s.Tag == CompactPrompts.Lesson).SelectMany(s => Lessons(s.Text)));
        var own = remembered.Where(r => r.Firm == q.Firm && Fits(r.Tariff)).Select(r => r.Tariff).FirstOrDefault();
        return own ?? Known.Value.First(Fits);
    }

    /// <summary>The steps of an attempt, from what can be read only.</summary>
    private static List<string> Attempt(ReadQuestion q, Tariff tariff)
    {
        var steps = new List<string> { $"Try {q.Firm} charge {tariff.Text}." };
        foreach (var (bill, total) in q.Bills.Zip(q.Totals))
        {
            var r = Reckoning.Price(tariff, bill);
            steps.Add(FormattableString.Invariant($"{r.Text}, bill {total} {(r.Total == total ? "ok" : "no")}."));
            if (r.Total != total)
                return steps;
        }

        var reckoned = q.Kind == QuestionKind.Sum
            ? [Reckoning.Quantity(tariff, q.Orders[0].Y, q.Sum) ?? new Reckoning(0, [])] : q.Orders.Select(o => Reckoning.Price(tariff, o)).ToList();
        var (sentence, answer) = WorkedAttempt.Conclude(q.Kind, reckoned.ConvertAll(r => r.Total));
        steps.Add(string.Join(' ', reckoned.Select(r => r.Text + ".").Append(sentence).Append($"Answer {answer}.").Where(s => s.Length > 0)));
        return steps;
    }

    private static string Verified(string restated)
    {
        var m = Regex.Match(restated, @"^(.+?)\. (\d+, \d+\. \d+, \d+\.) (\w+) (.+)$");
        List<Order> Orders(string text) => [.. Regex.Matches(text, @"(\d+), (\d+)\.").Select(o => new Order(
            int.Parse(o.Groups[1].Value, CultureInfo.InvariantCulture), int.Parse(o.Groups[2].Value, CultureInfo.InvariantCulture)))];
        return Verification.Verify(Tariff.Parse(m.Groups[1].Value)!, Orders(m.Groups[2].Value), Enum.Parse<QuestionKind>(m.Groups[3].Value, ignoreCase: true), Orders(m.Groups[4].Value));
    }

    private static string Compared(ReadQuestion q, string attempt, string check)
    {
        var sentences = check.Split('.', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        List<(string Sentence, string Label, string Theirs)> pairs = [(sentences[0], "bill", Number(q.Totals[0])), (sentences[1], "bill", Number(q.Totals[1]))];
        if (q.Kind == QuestionKind.Sum)
            pairs.Add((sentences[2], "total", Number(q.Sum)));
        else if (new CompactPrompts().Final(attempt) is { } final)
            pairs.Add((sentences[^1], "Answer", final));
        var said = new List<string>();
        foreach (var (sentence, label, theirs) in pairs)
        {
            var same = sentence.Split(' ')[^1] == theirs;
            said.Add($"{sentence}, {label} {theirs} {(same ? "ok" : "no")}.");
            if (!same)
                return string.Join(' ', said.Append("bad"));
        }

        return string.Join(' ', said.Append(pairs.Count == 3 ? "good" : "bad"));
    }

    private static string Remark(ReadQuestion q, string attempt)
    {
        var (tariff, final) = (Tried(attempt).Tariff, new CompactPrompts().Final(attempt));
        var steps = Attempt(q, tariff);
        if (steps[^1].EndsWith(" no.", StringComparison.Ordinal))
            return string.Join(' ', steps.Skip(1));
        var x = q.Kind == QuestionKind.Sum ? int.Parse(final!, CultureInfo.InvariantCulture) : 0;
        var all = Verification.Verify(tariff, q.Bills, q.Kind, x > 0 ? [new(x, q.Orders[0].Y)] : q.Orders);
        var last = all.Split('.', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Skip(2).ToList();
        var (label, theirs) = x > 0 ? ("total", Number(q.Sum)) : ("Answer", final!);
        var verdict = last[^1].Split(' ')[^1] == theirs ? "ok" : "no";
        return string.Join(' ', steps.Skip(1).Take(2).Concat(last.SkipLast(1).Select(s => s + ".")).Append($"{last[^1]}, {label} {theirs} {verdict}."));
    }

    private static (string Firm, Tariff Tariff) Tried(string attempt) => Lessons(attempt.Replace("Try ", "", StringComparison.Ordinal)).Last();

    private static IEnumerable<(string Firm, Tariff Tariff)> Lessons(string text) =>
        Regex.Matches(text, @"([A-Z][A-Za-z ]+?) charge ([^.]+)\.").Select(m => (m.Groups[1].Value, Tariff.Parse(m.Groups[2].Value)!));

    private static string Number(int n) => n.ToString(CultureInfo.InvariantCulture);
}
