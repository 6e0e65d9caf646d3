using System.Text;
using Microsoft.Extensions.AI;
using SpeedupLlm.Compute;

namespace SpeedupLlm.Conversations;

/// <summary>Listens to one plain call that streams: its text and what it says it used.</summary>
internal sealed class PlainCall
{
    private readonly StringBuilder _text = new();
    private bool _begun;

    public string Text => _text.ToString();

    public UsageDetails? Usage { get; private set; }

    /// <summary>Says whether this is the first update.</summary>
    public bool Hear(ChatResponseUpdate update)
    {
        _text.Append(update.Text);
        foreach (var used in update.Contents.OfType<UsageContent>())
            (Usage ??= new()).Add(used.Details);
        var first = !_begun;
        _begun = true;
        return first;
    }

    /// <summary>The full cost of a plain call; where the model does not say what it used, about four characters a token.</summary>
    public static decimal CostOf(UsageDetails? usage, IReadOnlyList<ChatMessage> messages, string text, PriceSheet prices)
    {
        var input = usage?.InputTokenCount ?? TokenCount.Estimate(messages);
        return prices.Cost(new Charge(
            CallPurpose.Solve, input, Math.Min(usage?.CachedInputTokenCount ?? 0, input), usage?.OutputTokenCount ?? TokenCount.Estimate(text), 0, 0, usage is null, TimeSpan.Zero));
    }
}
