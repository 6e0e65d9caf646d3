using SpeedupLlm.Experience;

namespace SpeedupLlm.Gateway.Dashboard;

/// <summary>A page of a tenant's memory.</summary>
internal sealed record MemoryView : PageView
{
    /// <summary>How many episodes a page has.</summary>
    public const int PageSize = 25;

    /// <summary>Words that are all in the question or answer; empty for all.</summary>
    public required string Words { get; init; }

    /// <summary>Of this user only; empty for all.</summary>
    public required string User { get; init; }

    /// <summary>The page, from 0.</summary>
    public required int Page { get; init; }

    /// <summary>Its episodes, newest first of each model.</summary>
    public required IReadOnlyList<Episode> Episodes { get; init; }

    /// <summary>Whether there is another page.</summary>
    public required bool HasMore { get; init; }

    /// <summary>What was just done, or null.</summary>
    public string? Done { get; init; }

    /// <summary>This list, at another page.</summary>
    public string LinkAt(int page) => Link("/dashboard/memory", ("q", Words), ("user", User), ("page", page > 0 ? page.ToString(System.Globalization.CultureInfo.InvariantCulture) : null));
}

/// <summary>One episode.</summary>
/// <param name="Episode">The episode.</param>
/// <param name="Made">What was made from it: kinds of documents with their texts; some of them if there are many.</param>
/// <param name="Done">What was just done, or null.</param>
internal sealed record EpisodeView(Episode Episode, IReadOnlyList<MemoryDocument> Made, string? Done) : PageView
{
    /// <summary>The longest correction, in characters.</summary>
    public const int LongestAnswer = 6000;
}
