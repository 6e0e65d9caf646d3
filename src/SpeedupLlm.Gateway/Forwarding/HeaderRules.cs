using System.Collections.Frozen;
using System.Net.Http.Headers;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;
using SpeedupLlm.Gateway.Requests;

namespace SpeedupLlm.Gateway.Forwarding;

/// <summary>Which headers pass: all but those that belong to one connection (RFC 9110, 7.6.1), the keys, and our own.</summary>
internal static class HeaderRules
{
    private static readonly FrozenSet<string> OfTheConnection = new[]
    {
        HeaderNames.Connection, HeaderNames.KeepAlive, HeaderNames.ProxyAuthenticate, HeaderNames.ProxyAuthorization, HeaderNames.ProxyConnection,
        HeaderNames.TE, HeaderNames.Trailer, HeaderNames.TransferEncoding, HeaderNames.Upgrade, HeaderNames.AltSvc,
    }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    private static readonly FrozenSet<string> NotForwarded = OfTheConnection
        .Concat([HeaderNames.Host, HeaderNames.Authorization, HeaderNames.ContentLength, HeaderNames.Expect, HeaderNames.Cookie])
        .ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>Copies a request's headers.</summary>
    /// <param name="from">The caller's request.</param>
    /// <param name="to">The request to the upstream, with its content.</param>
    /// <param name="authorization">The key for the upstream, or null for none.</param>
    public static void Copy(HttpRequest from, HttpRequestMessage to, string? authorization)
    {
        foreach (var (name, values) in from.Headers)
        {
            if (NotForwarded.Contains(name) || name.StartsWith(Treatment.HeaderPrefix, StringComparison.OrdinalIgnoreCase))
                continue;
            if (values.Count == 1 ? !to.Headers.TryAddWithoutValidation(name, values[0]) : !to.Headers.TryAddWithoutValidation(name, values.AsEnumerable()))
                to.Content?.Headers.TryAddWithoutValidation(name, values.AsEnumerable());
        }
        if (authorization is not null)
            to.Headers.TryAddWithoutValidation(HeaderNames.Authorization, authorization);
    }

    /// <summary>Copies an answer's status and headers.</summary>
    public static void Copy(HttpResponseMessage from, HttpResponse to)
    {
        to.StatusCode = (int)from.StatusCode;
        Copy(from.Headers, to);
        Copy(from.Content.Headers, to);
    }

    private static void Copy(HttpHeaders from, HttpResponse to)
    {
        foreach (var (name, values) in from.NonValidated)
        {
            if (!OfTheConnection.Contains(name))
                to.Headers[name] = values.Count == 1 ? values.ToString() : new StringValues([.. values]);
        }
    }
}
