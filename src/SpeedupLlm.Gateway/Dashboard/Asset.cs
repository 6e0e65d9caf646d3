using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;

namespace SpeedupLlm.Gateway.Dashboard;

/// <summary>Style, script and icon of the dashboard, out of the assembly: nothing comes from elsewhere.</summary>
internal sealed class Asset
{
    private static readonly Dictionary<string, string> Types = new(StringComparer.Ordinal)
    {
        [".css"] = "text/css; charset=utf-8",
        [".js"] = "text/javascript; charset=utf-8",
        [".svg"] = "image/svg+xml",
    };

    private readonly byte[] _bytes;
    private readonly string _type;

    private Asset(string file)
    {
        using var stream = typeof(Asset).Assembly.GetManifestResourceStream($"dashboard/{file}") ?? throw new InvalidOperationException($"The resource {file} was not built in.");
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        _bytes = copy.ToArray();
        _type = Types[Path.GetExtension(file)];
        Place = $"/dashboard/{file}";
        Url = $"{Place}?{Convert.ToHexStringLower(SHA256.HashData(_bytes))[..12]}";
    }

    public static Asset Style { get; } = new("dashboard.css");

    public static Asset Script { get; } = new("dashboard.js");

    public static Asset Icon { get; } = new("icon.svg");

    /// <summary>Where it is, without its version.</summary>
    public string Place { get; }

    /// <summary>Where it is; another content is another address, so browsers may keep it.</summary>
    public string Url { get; }

    public Task WriteAsync(HttpContext http)
    {
        http.Response.ContentType = _type;
        http.Response.ContentLength = _bytes.Length;
        http.Response.Headers.CacheControl = "public, max-age=31536000, immutable";
        http.Response.Headers.XContentTypeOptions = "nosniff";
        return http.Response.Body.WriteAsync(_bytes, http.RequestAborted).AsTask();
    }
}
