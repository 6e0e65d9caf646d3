using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace SpeedupLlm.Relevancy;

/// <summary>Names what is the same question: the same key is asked for the same answer (case 17).</summary>
public static class QuestionKey
{
    /// <summary>The key of a question: its text as relevancy reads it (Unicode forms, case, spaces, punctuation and the spelling of numbers aside) and its context, byte for byte. Null for a text without content.</summary>
    public static string? Of(Question question)
    {
        ArgumentNullException.ThrowIfNull(question);
        return Of(question.Text, question.Context);
    }

    internal static string? Of(string text, string? context)
    {
        var tokens = TextTokens.Of(text);
        if (tokens.Count == 0)
            return null;
        // kinds keep "one" the word and 1 the number apart from signs; lengths keep neighbours apart
        var normal = new StringBuilder();
        foreach (var token in tokens)
            normal.Append(CultureInfo.InvariantCulture, $"{(int)token.Kind}{token.Text.Length}:{token.Text}");
        return Hash(normal.Append('\n').Append(context).ToString());
    }

    /// <summary>What else than its text an answer depends on: the messages before the question, tools, format and every option. What is omitted differs from any value.</summary>
    /// <param name="before">System prompt and earlier turns; empty if there are none.</param>
    /// <param name="options">The request's options; null if there are none.</param>
    /// <returns>Empty for a bare question, else a hash.</returns>
    public static string ContextOf(IReadOnlyList<ChatMessage> before, ChatOptions? options)
    {
        ArgumentNullException.ThrowIfNull(before);
        if (before.Count == 0 && options is null)
            return "";
        return Hash(JsonSerializer.Serialize(before, AIJsonUtilities.DefaultOptions) + "\n"
            + JsonSerializer.Serialize(options, AIJsonUtilities.DefaultOptions) + "\n"
            + string.Join('\n', options?.Tools?.Select(t => $"{t.Name}\u001f{t.Description}\u001f{(t as AIFunctionDeclaration)?.JsonSchema}") ?? []));
    }

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
