using System.Collections.Concurrent;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;

namespace SpeedupLlm.Gateway.Dashboard;

/// <summary>Who is signed in to the dashboard, in this process: signing out ends a session for good, and so does a restart. Thread-safe.</summary>
internal sealed class Sessions(TimeProvider clock) : ITicketStore
{
    // whoever signs in has the admin key; forgotten tabs must not pile up all the same
    private const int Most = 256;

    private readonly ConcurrentDictionary<string, AuthenticationTicket> _tickets = new(StringComparer.Ordinal);

    public Task<string> StoreAsync(AuthenticationTicket ticket)
    {
        foreach (var (old, known) in _tickets.OrderBy(t => t.Value.Properties.ExpiresUtc))
        {
            if (_tickets.Count >= Most || known.Properties.ExpiresUtc <= clock.GetUtcNow())
                _tickets.TryRemove(old, out _);
        }
        var key = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
        _tickets[key] = ticket;
        return Task.FromResult(key);
    }

    public Task RenewAsync(string key, AuthenticationTicket ticket)
    {
        if (_tickets.ContainsKey(key))
            _tickets[key] = ticket;
        return Task.CompletedTask;
    }

    public Task<AuthenticationTicket?> RetrieveAsync(string key) => Task.FromResult(_tickets.GetValueOrDefault(key));

    public Task RemoveAsync(string key)
    {
        _tickets.TryRemove(key, out _);
        return Task.CompletedTask;
    }
}
