using System.Text;
using Microsoft.Extensions.AI;
using SpeedupLlm.Compute;
using SpeedupLlm.Prompts;
using SpeedupLlm.Transformer.Tokenizer;
using SpeedupLlm.Transformer.Training;

namespace SpeedupLlm.Transformer.Adapter;

/// <summary>A prompt as token ids.</summary>
/// <param name="Tokens">Sections, then the token of the task: tasks on the same content share its prefix.</param>
/// <param name="Task">What is asked for.</param>
/// <param name="Question">The question to be answered: of a plain chat the last user text, of a prompt to guess, think or propose its last question section; else null.</param>
public sealed record TemplatedPrompt(IReadOnlyList<int> Tokens, PromptTask Task, string? Question);

/// <summary>Turns messages into the embedded reasoner's tokens, for asking and for training alike. Thread-safe.</summary>
/// <remarks>
/// A compact prompt is a system message that is one task word of <see cref="CompactPrompts"/> and a user message of tagged sections;
/// the tags become special tokens, the text between them never does. Any other chat becomes a question: the last user text behind the earlier
/// turns, as data, its angle brackets replaced; system messages are left out, since the model knows no instructions but its tasks.
/// </remarks>
public sealed class ChatTemplate : ITokenCounter
{
    private readonly PieceTokenizer _tokenizer;
    private readonly Dictionary<string, PromptTask> _tasks = new(StringComparer.Ordinal);
    private readonly (string Tag, int Id)[] _sections;

    /// <summary>A template over a vocabulary.</summary>
    /// <exception cref="ArgumentException">The vocabulary lacks a tag of <see cref="CompactPrompts"/>.</exception>
    public ChatTemplate(PieceTokenizer tokenizer)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        _tokenizer = tokenizer;
        _sections = [.. CompactPrompts.SectionTags.Select(tag => (tag, tokenizer.Special(tag)))];
        foreach (var task in CompactPrompts.Tasks)
        {
            tokenizer.Special(CompactPrompts.Tag(task));
            _tasks[CompactPrompts.Word(task)] = task;
        }
        End = tokenizer.Special(CompactPrompts.End);
    }

    /// <summary>The token that ends every text.</summary>
    public int End { get; }

    /// <summary>The special tokens that a vocabulary must have, in their order.</summary>
    public static IReadOnlyList<string> Specials { get; } =
        [CompactPrompts.End, .. CompactPrompts.SectionTags, .. CompactPrompts.Tasks.Select(CompactPrompts.Tag)];

    /// <summary>The tokens of messages.</summary>
    /// <exception cref="NotSupportedException">A message has content that is no text.</exception>
    public TemplatedPrompt Encode(IEnumerable<ChatMessage> messages)
    {
        ArgumentNullException.ThrowIfNull(messages);
        var all = messages.ToList();
        foreach (var content in all.SelectMany(m => m.Contents))
            if (content is DataContent or UriContent)
                throw new NotSupportedException("The embedded reasoner reads text only.");
        if (all is [{ Role: var first } system, { Role: var second } user] && first == ChatRole.System && second == ChatRole.User
            && _tasks.TryGetValue(system.Text.Trim(), out var task))
            return Sections(user.Text, task);

        var turns = all.Where(m => m.Role == ChatRole.User || m.Role == ChatRole.Assistant).Select(m => m.Text.Trim()).Where(t => t.Length > 0).ToList();
        var last = all.LastOrDefault(m => m.Role == ChatRole.User)?.Text.Trim() ?? "";
        var tokens = new List<int> { _tokenizer.Special(CompactPrompts.QuestionTag) };
        _tokenizer.Encode(Escape(string.Join('\n', turns)), tokens);
        tokens.Add(_tokenizer.Special(CompactPrompts.Tag(PromptTask.Guess)));
        return new(tokens, PromptTask.Guess, last);
    }

    /// <inheritdoc/>
    public int Count(IEnumerable<ChatMessage> messages) => Encode(messages).Tokens.Count;

    /// <summary>The tokens of an answer, the end among them.</summary>
    public int[] EncodeTarget(string text) => [.. _tokenizer.Encode(text), End];

    /// <summary>A training example: prompt, answer, end.</summary>
    /// <param name="prompt">Made by <see cref="CompactPrompts"/>.</param>
    /// <param name="target">Parts of the answer and how much each counts; a token counts as the part in which it starts.</param>
    /// <param name="promptWeight">How much the prompt's tokens count; the token of the task never does.</param>
    public TrainingExample Example(Prompt prompt, IReadOnlyList<(string Text, float Weight)> target, float promptWeight)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        var head = Encode(prompt.Messages).Tokens;
        var tail = EncodeTarget(string.Concat(target.Select(t => t.Text)));
        var weights = new float[head.Count + tail.Length];
        weights.AsSpan(1, head.Count - 2).Fill(promptWeight);

        var starts = target.Count > 0 && target[0].Text.StartsWith('\n') ? 0 : -1; // the space in front
        var (part, partEnd) = (0, target.Count > 0 ? Encoding.UTF8.GetByteCount(target[0].Text) : 0);
        for (var i = 0; i < tail.Length - 1; i++)
        {
            while (Math.Max(0, starts) >= partEnd)
                partEnd += Encoding.UTF8.GetByteCount(target[++part].Text);
            weights[head.Count + i] = target[part].Weight;
            starts += _tokenizer.Bytes(tail[i]).Length;
        }
        weights[^1] = 1;
        return new([.. head, .. tail], weights);
    }

    private TemplatedPrompt Sections(string text, PromptTask task)
    {
        var tokens = new List<int>();
        var questionTag = _tokenizer.Special(CompactPrompts.QuestionTag);
        var question = default(string);
        var (at, section) = (0, -1);
        while (true)
        {
            var (next, tag, id) = NextTag(text, at);
            var content = text[at..next].Trim();
            if (section < 0 && content.Length > 0)
                tokens.Add(section = questionTag); // text without a tag is a question
            if (section == questionTag)
                question = content;
            if (content.Length > 0)
                _tokenizer.Encode(content, tokens);
            if (id < 0)
                break;
            tokens.Add(section = id);
            at = next + tag.Length;
        }
        tokens.Add(_tokenizer.Special(CompactPrompts.Tag(task)));
        return new(tokens, task, task is PromptTask.Guess or PromptTask.Think or PromptTask.Propose ? question : null);
    }

    private (int At, string Tag, int Id) NextTag(string text, int from)
    {
        for (var at = text.IndexOf('<', from); at >= 0; at = text.IndexOf('<', at + 1))
            foreach (var (tag, id) in _sections)
                if (string.CompareOrdinal(text, at, tag, 0, tag.Length) == 0)
                    return (at, tag, id);
        return (text.Length, "", -1);
    }

    /// <summary>As <see cref="CompactPrompts"/> does: data cannot look like a tag.</summary>
    private static string Escape(string text) => text.Replace('<', '‹').Replace('>', '›');
}
