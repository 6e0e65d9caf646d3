using System.Globalization;

namespace SpeedupLlm.Memory;

/// <summary>What <see cref="Auto"/> may give in place of its own cases.</summary>
/// <param name="Cases">Cases in the prompt, at most, of the nearest level; at least 0.</param>
/// <param name="Memory">A memory whose lessons or weights go with them, or null. It learns only while it is tried or used.</param>
public sealed record AutoPlan(int Cases, IMemory? Memory = null)
{
    /// <summary>Its name, such as <c>1 case + multi-reflect</c>.</summary>
    public string Name => Memory is null ? Count(Cases) : Cases == 0 ? Memory.Name : $"{Count(Cases)} + {Memory.Name}";

    internal static string Count(int cases) => string.Create(CultureInfo.InvariantCulture, $"{cases} {(cases == 1 ? "case" : "cases")}");

    /// <summary>Cases for the prompt, the best one last.</summary>
    internal static IReadOnlyList<Hint> Hints(IEnumerable<AlikeCase> cases) => [.. cases.Reverse().Select(c => RememberedCases.ToHint(c.Episode))];

    /// <summary>Whether a model can have it: adapted weights need one that can be trained.</summary>
    internal bool IsFor(IMemoryContext context) => context.Trainer is not null || Memory is not IModelRequirement;

    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfNegative(Cases);
        if (Memory is null && Cases == 0)
            throw new ArgumentException("A plan gives something.");
        if (Memory is { GivesAnswers: true })
            throw new ArgumentException($"The memory '{Memory.Name}' answers by itself; a plan gives lessons or weights.");
    }
}
