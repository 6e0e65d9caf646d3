using System.Collections.Frozen;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using SpeedupLlm.Gateway.Configuration;
using SpeedupLlm.Gateway.Errors;

namespace SpeedupLlm.Gateway.Tenants;

/// <summary>Lets requests in: who asks, whether they may, and how many at once. Thread-safe.</summary>
internal sealed class Access : IAsyncDisposable
{
    private const string Bearer = "Bearer ";
    private readonly FrozenDictionary<string, Requester> _byHash;
    private readonly List<Tenant> _tenants;
    private readonly Requester? _everybody;
    private readonly ConcurrencyLimiter _atOnce;

    public Access(GatewayOptions options, GatewayParts parts, ILogger<Tenant> logger)
    {
        var byHash = new Dictionary<string, Requester>(StringComparer.Ordinal);
        _tenants = [.. options.Tenants.Select(t => new Tenant(t, parts.Store, parts.Clock, logger))];
        foreach (var (tenant, configured) in _tenants.Zip(options.Tenants))
        {
            foreach (var key in configured.Keys)
                byHash.Add(key, new(tenant, IsAdmin: false));
        }
        if (options.AdminKey is { } admin)
            byHash.Add(admin, new(null, IsAdmin: true));
        _byHash = byHash.ToFrozenDictionary(StringComparer.Ordinal);
        if (options.Tenants.Count == 0)
        {
            _tenants.Add(new(new() { Name = Caller.Local.Tenant }, parts.Store, parts.Clock, logger));
            _everybody = new(_tenants[0], IsAdmin: options.AdminKey is null);
        }
        _atOnce = new(new() { PermitLimit = options.Limits.Concurrent, QueueLimit = options.Limits.Queue, QueueProcessingOrder = QueueProcessingOrder.OldestFirst });
    }

    /// <summary>The names of all tenants.</summary>
    public IEnumerable<string> Tenants => _tenants.Select(t => t.Name);

    /// <summary>Whether anybody on this machine may administer: there are no keys at all.</summary>
    public bool IsOpen => _everybody is { IsAdmin: true };

    /// <summary>Whether there is a key for administration.</summary>
    public bool HasAdminKey => _byHash.Values.Any(r => r.IsAdmin);

    /// <summary>Whether a key is the one for administration.</summary>
    public bool IsAdminKey(string key) => _byHash.TryGetValue(HashOf(key), out var known) && known.IsAdmin;

    /// <summary>Books what a question of a tenant cost, answered or not.</summary>
    public void Spend(string tenant, decimal cost) => _tenants.Find(t => t.Name == tenant)?.Spend(cost);

    /// <summary>Adds what was spent to the accounts that replicas share.</summary>
    public async ValueTask StoreAsync(CancellationToken cancellationToken)
    {
        foreach (var tenant in _tenants)
            await tenant.StoreAsync(cancellationToken);
    }

    /// <summary>Finds out who asks.</summary>
    /// <exception cref="ApiErrorException">Nobody who may.</exception>
    public Requester Authenticate(HttpContext http)
    {
        var header = http.Request.Headers.Authorization.ToString();
        var key = header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) ? header[Bearer.Length..].Trim() : "";
        if (key.Length > 0 && _byHash.Count > 0 && _byHash.TryGetValue(HashOf(key), out var known))
            return known;
        if (_everybody is null)
            throw new ApiErrorException(new(StatusCodes.Status401Unauthorized, key.Length == 0 ? "A key is needed: Authorization: Bearer …" : "The key is not known here.", "authentication_error", "invalid_api_key"));
        // without keys only this machine is trusted, and no web page that somebody on it happens to look at
        if (http.Connection.RemoteIpAddress is { } from && !IPAddress.IsLoopback(from) || !IsThisMachine(http.Request.Host.Host) || IsForeign(http.Request))
            throw new ApiErrorException(new(StatusCodes.Status403Forbidden, "Without keys only programs on this machine may ask.", "permission_error", "loopback_only"));
        return _everybody;
    }

    /// <summary>Waits for a place among the requests that run.</summary>
    /// <exception cref="ApiErrorException">Too many wait already.</exception>
    public async ValueTask<RateLimitLease> EnterAsync(CancellationToken cancellationToken)
    {
        var lease = _atOnce.AttemptAcquire();
        if (!lease.IsAcquired)
        {
            lease.Dispose();
            lease = await _atOnce.AcquireAsync(1, cancellationToken);
        }
        if (lease.IsAcquired)
            return lease;
        lease.Dispose();
        throw new ApiErrorException(ApiError.TooMany("Too many requests at once.", TimeSpan.FromSeconds(1)));
    }

    public async ValueTask DisposeAsync()
    {
        await _atOnce.DisposeAsync();
        foreach (var tenant in _tenants)
            await tenant.DisposeAsync();
    }

    private static string HashOf(string key)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(key), hash);
        return ApiKey.Prefix + Convert.ToHexStringLower(hash);
    }

    private static bool IsThisMachine(string host) => host is "localhost" || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));

    private static bool IsForeign(HttpRequest request) =>
        request.Headers.Origin.ToString() is { Length: > 0 } origin && (!Uri.TryCreate(origin, UriKind.Absolute, out var uri) || !IsThisMachine(uri.Host));
}
