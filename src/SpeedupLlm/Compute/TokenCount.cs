using System.Text;
using Microsoft.Extensions.AI;

namespace SpeedupLlm.Compute;

/// <summary>Counts the prompt tokens of messages exactly; from <see cref="IChatClient.GetService"/>, where a model offers it. Thread-safe.</summary>
/// <remarks>Budgets and the trimming of memory are exact with it; without it they work with bounds and estimates.</remarks>
public interface ITokenCounter
{
    /// <summary>Prompt tokens, the chat template's own among them.</summary>
    int Count(IEnumerable<ChatMessage> messages);
}

/// <summary>What can be said of token counts without a tokenizer.</summary>
internal static class TokenCount
{
    private const int TemplateTokensAMessage = 16;

    /// <summary>About four characters a token.</summary>
    public static long Estimate(string? text) => text is null ? 0 : (text.Length + 3) / 4;

    /// <summary>About four characters a token, over all messages.</summary>
    public static long Estimate(IEnumerable<ChatMessage> messages) => messages.Sum(m => Estimate(m.Text));

    /// <summary>No tokenizer gives more: a token is at least a byte, and chat templates add a few tokens a message.</summary>
    public static long AtMost(IEnumerable<ChatMessage> messages) => messages.Sum(m => Encoding.UTF8.GetByteCount(m.Text) + TemplateTokensAMessage);
}

/// <summary>A question is longer than the model's context; memory is not to blame, it was left out first. Remedy: a shorter question, or another model.</summary>
public sealed class ContextLengthException(int needed, int limit)
    : Exception(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"The question has {needed} tokens, and the model's context holds {limit} (context_length)."))
{
    /// <summary>Tokens of the question.</summary>
    public int Needed { get; } = needed;

    /// <summary>The model's context.</summary>
    public int Limit { get; } = limit;
}
