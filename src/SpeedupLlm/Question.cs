using Microsoft.Extensions.AI;

namespace SpeedupLlm;

/// <summary>What is asked. Never carries the reference answer: that lives in the benchmark's example.</summary>
/// <param name="Id">Stable identity for records and random streams.</param>
/// <param name="Messages">The conversation to answer, the question last.</param>
/// <param name="Text">The text that relevancy looks at and that memories keep.</param>
public sealed record Question(string Id, IReadOnlyList<ChatMessage> Messages, string Text)
{
    /// <summary>What else the answer depends on (see <see cref="Relevancy.QuestionKey.ContextOf"/>); empty for a bare question.</summary>
    public string Context { get; init; } = "";

    /// <summary>The standing instructions that it was asked under, as a hash; empty without any. A past case is recalled only under the same ones.</summary>
    public string Setting { get; init; } = "";

    /// <summary>Whether earlier turns stand before it. Its text says little without them, so it is answered from memory only where everything is the same, and is nobody's case or lesson.</summary>
    public bool IsFollowUp { get; init; }

    /// <summary>What the caller asked of the answer (temperature, length, format, …), or null. It binds the calls that draw the answer, and no judging or learning.</summary>
    public ChatOptions? Options { get; init; }

    /// <summary>A question of one user message. The identity defaults to a hash of the text.</summary>
    public static Question FromText(string text, string? id = null)
    {
        ArgumentNullException.ThrowIfNull(text);
        return new(id ?? Compute.StreamKey.Root(0).Child(text).ToString(), [new(ChatRole.User, text)], text);
    }
}

/// <summary>What memory may be shared by. Memory never crosses a tenant; user and conversation narrow it further.</summary>
/// <param name="Tenant">The authenticated tenant; <c>local</c> on a single machine.</param>
/// <param name="User">The user within the tenant, or null for memory of the whole tenant.</param>
/// <param name="Conversation">The conversation, or null for memory of all conversations.</param>
/// <param name="ModelFingerprint">The answering model.</param>
/// <param name="PromptFingerprint">The prompt set.</param>
public sealed record Scope(string Tenant, string? User, string? Conversation, string ModelFingerprint, string PromptFingerprint);
