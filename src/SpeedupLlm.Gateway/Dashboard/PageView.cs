using Microsoft.AspNetCore.Http.Extensions;

namespace SpeedupLlm.Gateway.Dashboard;

/// <summary>What every page shows around its own.</summary>
internal record PageView
{
    /// <summary>What the page is about.</summary>
    public required string Title { get; init; }

    /// <summary>What forms on it carry.</summary>
    public required FormToken Token { get; init; }

    /// <summary>Whose memory and account it shows; empty on pages that show none.</summary>
    public string Tenant { get; init; } = "";

    /// <summary>All tenants.</summary>
    public IReadOnlyList<string> Tenants { get; init; } = [];

    /// <summary>Whether somebody is signed in, and may sign out.</summary>
    public bool IsSignedIn { get; init; }

    /// <summary>The page's own address, without query.</summary>
    public required string Here { get; init; }

    /// <summary>Where its changes come from, or null if it has none.</summary>
    public string? Live { get; init; }

    /// <summary>An address of ours that stays with the tenant.</summary>
    public string Link(string path, params IEnumerable<(string Name, string? Value)> query)
    {
        var all = new QueryBuilder();
        if (Tenants.Count > 1)
            all.Add("tenant", Tenant);
        foreach (var (name, value) in query)
        {
            if (!string.IsNullOrEmpty(value))
                all.Add(name, value);
        }
        return path + all;
    }

    /// <summary>The page of an episode.</summary>
    public string LinkTo(string episode) => Link($"/dashboard/memory/{Uri.EscapeDataString(episode)}");
}

/// <summary>Where the admin key is asked for.</summary>
/// <param name="IsPossible">Whether there is one.</param>
/// <param name="IsWrong">Whether the one that was given is not it.</param>
internal sealed record SignInView(bool IsPossible, bool IsWrong) : PageView;

/// <summary>Something that went wrong.</summary>
/// <param name="Message">What.</param>
internal sealed record ErrorView(string Message) : PageView;
