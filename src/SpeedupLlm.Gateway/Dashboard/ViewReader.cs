using System.Globalization;
using Microsoft.AspNetCore.Http;
using SpeedupLlm.Experience;
using SpeedupLlm.Gateway.Administration;
using SpeedupLlm.Gateway.Configuration;
using SpeedupLlm.Gateway.Errors;
using SpeedupLlm.Gateway.History;
using SpeedupLlm.Gateway.Tenants;
using SpeedupLlm.Memory;

namespace SpeedupLlm.Gateway.Dashboard;

/// <summary>Gathers what a page shows. Thread-safe.</summary>
internal sealed class ViewReader(GatewayOptions options, GatewayParts parts, GatewaySwitch mode, UsageHistory history, MemoryAdministration memory, Access access, SignIn signIn)
{
    private const int MostMade = 20, MostLooked = 10_000, MostPage = 100_000, LongestWords = 1000;

    /// <summary>The overview of the tenant that the address names.</summary>
    public async ValueTask<OverviewView> OverviewAsync(HttpRequest request, FormToken token, CancellationToken cancellationToken)
    {
        var span = LookBack.Of(request.Query["span"]);
        var tenant = TenantOf(request);
        var now = parts.Clock.GetUtcNow();
        var view = new OverviewView
        {
            Title = "Overview",
            Token = token,
            Tenant = tenant,
            Tenants = Tenants,
            IsSignedIn = signIn.IsNeeded,
            Here = "/",
            Mode = mode.Mode,
            Draws = options.Upstreams.Count > 0 && (mode.Mode == ExperienceMode.Canary || (mode.Mode == ExperienceMode.On && options.ControlShare > 0)),
            Span = span,
            Hours = [],
            Now = now,
            Last = history.Last(tenant),
        };
        try
        {
            // a store that fails must not take the page with it (case 30)
            var bands = new List<GuardedBand>();
            foreach (var scope in (await parts.Store.ScopesAsync(tenant, cancellationToken)).Select(s => s with { User = null, Conversation = null }).Distinct())
            {
                await foreach (var band in GuardedBand.ListAsync(parts.Store, scope, cancellationToken))
                    bands.Add(band);
            }
            return view with
            {
                Hours = await history.ReadAsync(tenant, view.From, cancellationToken),
                Bands = [.. bands.OrderBy(b => b.Scope.ModelFingerprint, StringComparer.Ordinal).ThenBy(b => b.Band, StringComparer.Ordinal)],
                Degraded = (await parts.Store.CheckAsync(cancellationToken)).Degraded,
            };
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return view with { Degraded = e.Message };
        }
    }

    /// <summary>A page of the memory of the tenant that the address names.</summary>
    public async ValueTask<MemoryView> MemoryAsync(HttpRequest request, FormToken token, CancellationToken cancellationToken)
    {
        var words = Bounded(request.Query["q"]);
        var user = Bounded(request.Query["user"]);
        var page = int.TryParse(request.Query["page"], NumberStyles.None, CultureInfo.InvariantCulture, out var asked) ? Math.Clamp(asked, 0, MostPage) : 0;
        var found = await memory.FindAsync(TenantOf(request), user.Length > 0 ? user : null, words, cancellationToken)
            .Skip(page * MemoryView.PageSize).Take(MemoryView.PageSize + 1).ToListAsync(cancellationToken);
        return new()
        {
            Title = "Memory",
            Token = token,
            Tenant = TenantOf(request),
            Tenants = Tenants,
            IsSignedIn = signIn.IsNeeded,
            Here = "/dashboard/memory",
            Words = words,
            User = user,
            Page = page,
            Episodes = [.. found.Take(MemoryView.PageSize)],
            HasMore = found.Count > MemoryView.PageSize,
            Done = DoneBy(request),
        };
    }

    /// <summary>An episode of the tenant that the address names.</summary>
    /// <exception cref="ApiErrorException">There is none of that name.</exception>
    public async ValueTask<EpisodeView> EpisodeAsync(HttpRequest request, FormToken token, string id, CancellationToken cancellationToken)
    {
        var tenant = TenantOf(request);
        var episode = await memory.GetAsync(tenant, id, cancellationToken) ?? throw new ApiErrorException(ApiError.NotFound("There is no such episode: it was forgotten, or is not kept yet."));
        var made = await parts.Store.ListDocumentsAsync(episode.Scope with { User = null, Conversation = null }, null, cancellationToken)
            .Take(MostLooked).Where(d => d.Sources.Contains(id, StringComparer.Ordinal)).Take(MostMade).ToListAsync(cancellationToken);
        return new(episode, made, DoneBy(request))
        {
            Title = "Episode",
            Token = token,
            Tenant = tenant,
            Tenants = Tenants,
            IsSignedIn = signIn.IsNeeded,
            Here = $"/dashboard/memory/{Uri.EscapeDataString(id)}",
        };
    }

    /// <summary>The tenant that an address names; the first one if it names none.</summary>
    /// <exception cref="ApiErrorException">There is none of that name.</exception>
    public string TenantOf(HttpRequest request)
    {
        var named = request.Query["tenant"].ToString();
        if (named.Length == 0)
            return Tenants[0];
        return Tenants.Contains(named, StringComparer.Ordinal) ? named : throw new ApiErrorException(ApiError.NotFound("There is no such tenant."));
    }

    private IReadOnlyList<string> Tenants => [.. access.Tenants];

    private static string Bounded(string? text) => text is { Length: <= LongestWords } ? text.Trim() : "";

    /// <summary>Addresses only name what was done: no text of theirs is shown.</summary>
    private static string? DoneBy(HttpRequest request) => request.Query["done"].ToString() switch
    {
        "forgotten" => "Forgotten, with all that was made from it.",
        "right" => "Marked as right.",
        "wrong" => "Marked as wrong: it is not given again, nor what was made from it.",
        "corrected" => "Corrected: what you wrote is remembered in the place of the answer.",
        _ => null,
    };
}
