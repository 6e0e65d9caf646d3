using Microsoft.Extensions.AI;

namespace SpeedupLlm.Conversations;

/// <summary>Which way one request goes.</summary>
internal sealed record RequestPlan
{
    public required ExperienceMode Mode { get; init; }

    public required IReadOnlyList<ChatMessage> Messages { get; init; }

    /// <summary>Null if it is no question.</summary>
    public required Question? Question { get; init; }

    public required string? Bypass { get; init; }

    public required double Propensity { get; init; }

    public required bool IsExperienced { get; init; }

    /// <summary>With the caller.</summary>
    public required SolveRequest Request { get; init; }

    /// <summary>The plan once a question could not be searched.</summary>
    public RequestPlan Bypassed(string why) => this with { Bypass = why, IsExperienced = false };

    /// <summary>What is known before the model was asked plainly.</summary>
    public ExperienceReport Report() => new() { Mode = Mode, Bypass = Bypass, Propensity = Propensity };
}
