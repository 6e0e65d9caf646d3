namespace SpeedupLlm;

/// <summary>What somebody who knows says of an answer. No feedback is null.</summary>
public sealed record Feedback
{
    private Feedback()
    {
    }

    /// <summary>The answer is right: it is learnt, even if the scorer did not accept it.</summary>
    public static Feedback Right { get; } = new() { IsRight = true };

    /// <summary>The answer is wrong: it is not learnt, and what was learnt from it is forgotten.</summary>
    public static Feedback Wrong { get; } = new() { IsRight = false };

    /// <summary>A worked solution: it is learnt instead of the answer.</summary>
    public static Feedback Reference(string workedSolution)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(workedSolution);
        return new() { WorkedSolution = workedSolution };
    }

    /// <summary>Whether the answer is right; null if that was not said.</summary>
    public bool? IsRight { get; private init; }

    /// <summary>The worked solution, or null if none was given.</summary>
    public string? WorkedSolution { get; private init; }
}
