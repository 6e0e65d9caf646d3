using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using SpeedupLlm.Gateway.Replicas;

namespace SpeedupLlm.Gateway.Dashboard;

/// <summary>Who is signed in to the dashboard, on any replica: signing out on one ends a session on all. Thread-safe.</summary>
/// <remarks>While the store fails, a session holds on the replicas that know of it, new ones only where they were begun, and none can be ended.</remarks>
internal sealed class Sessions(GatewayParts parts) : ITicketStore
{
    /// <summary>How long a session lasts without use.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(8);

    // the gateway's own, whatever tenants there are
    private readonly SharedDocument<OpenSessions> _shared = new(parts.Store, parts.Clock, SessionJson.Default.OpenSessions, "gateway", "sessions", "dashboard");
    private volatile OpenSessions _known = OpenSessions.None;

    /// <summary>Whoever is signed in.</summary>
    public static ClaimsPrincipal Admin { get; } = new(new ClaimsIdentity([new(ClaimTypes.Name, "admin")], SignIn.Scheme));

    public async Task<string> StoreAsync(AuthenticationTicket ticket)
    {
        var key = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        await PutAsync(key, EndOf(ticket));
        return key;
    }

    public async Task RenewAsync(string key, AuthenticationTicket ticket)
    {
        if (await EndOfAsync(key) is not null)
            await PutAsync(key, EndOf(ticket));
    }

    public async Task<AuthenticationTicket?> RetrieveAsync(string key) => await EndOfAsync(key) is { } ends
        ? new(Admin, new() { IssuedUtc = ends - Lifetime, ExpiresUtc = ends }, SignIn.Scheme)
        : null;

    /// <exception cref="Experience.StoreDegradedException">Other replicas could not be told.</exception>
    public async Task RemoveAsync(string key) =>
        _known = await _shared.ChangeAsync(open => Known(open).Without(HashOf(key)), CancellationToken.None) ?? _known.Without(HashOf(key));

    private async Task PutAsync(string key, DateTimeOffset ends)
    {
        OpenSessions With(OpenSessions? open) => Known(open).With(HashOf(key), ends, parts.Clock.GetUtcNow());
        try
        {
            _known = await _shared.ChangeAsync(With, CancellationToken.None) ?? With(_known);
        }
        catch (Exception)
        {
            // whoever looks after a store that fails needs the dashboard
            _known = With(_known);
        }
    }

    private async ValueTask<DateTimeOffset?> EndOfAsync(string key)
    {
        try
        {
            _known = Known(await _shared.ReadAsync(CancellationToken.None));
        }
        catch (Exception)
        {
            // what was known before holds
        }
        return _known.Ends.TryGetValue(HashOf(key), out var ends) && ends > parts.Clock.GetUtcNow() ? ends : null;
    }

    private DateTimeOffset EndOf(AuthenticationTicket ticket) => ticket.Properties.ExpiresUtc ?? parts.Clock.GetUtcNow() + Lifetime;

    private static OpenSessions Known(OpenSessions? open) => open is { FormatVersion: OpenSessions.CurrentFormat } ? open : OpenSessions.None;

    private static string HashOf(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));
}
