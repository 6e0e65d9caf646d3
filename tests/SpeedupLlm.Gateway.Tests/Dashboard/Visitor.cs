using System.Net;
using System.Text.RegularExpressions;

namespace SpeedupLlm.Gateway.Tests.Dashboard;

/// <summary>A browser without a window: it keeps cookies, and sends back the token of the page it saw last. It follows nothing by itself.</summary>
internal sealed partial class Visitor : IDisposable
{
    private readonly HttpClient _http;

    public Visitor(Uri address) =>
        _http = new(new SocketsHttpHandler { CookieContainer = Cookies, AllowAutoRedirect = false }) { BaseAddress = address, Timeout = TimeSpan.FromMinutes(1) };

    public CookieContainer Cookies { get; } = new();

    /// <summary>The token of the page seen last.</summary>
    public string? Token { get; set; }

    public void Dispose() => _http.Dispose();

    public async Task<Seen> GetAsync(string path, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        return await SendAsync(request);
    }

    /// <summary>Sends a form of the page seen last.</summary>
    public Task<Seen> PostAsync(string path, params (string Name, string Value)[] fields) => PostAsync(path, Token, fields);

    /// <summary>Sends a form with another token, or none.</summary>
    public async Task<Seen> PostAsync(string path, string? token, (string Name, string Value)[] fields, string? origin = null)
    {
        var form = fields.Select(f => KeyValuePair.Create(f.Name, f.Value)).ToList();
        if (token is not null)
            form.Add(new("__RequestVerificationToken", token));
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new FormUrlEncodedContent(form) };
        if (origin is not null)
            request.Headers.TryAddWithoutValidation("Origin", origin);
        return await SendAsync(request);
    }

    /// <summary>Signs in, and looks at the overview.</summary>
    public async Task<Seen> SignInAsync(string key)
    {
        await GetAsync("/");
        await PostAsync("/dashboard/sign-in", ("key", key));
        return await GetAsync("/");
    }

    /// <summary>The events of the live stream, as they come, until <paramref name="enough"/>.</summary>
    public async Task<string> WatchAsync(string path, Func<string, bool> enough)
    {
        using var response = await _http.GetAsync(path, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        using var stream = new StreamReader(await response.Content.ReadAsStreamAsync());
        var seen = "";
        while (!enough(seen) && await stream.ReadLineAsync() is { } line)
            seen += line + "\n";
        return seen;
    }

    private async Task<Seen> SendAsync(HttpRequestMessage request)
    {
        using var response = await _http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        if (Tokens().Match(text) is { Success: true } token)
            Token = WebUtility.HtmlDecode(token.Groups[1].Value);
        return new((int)response.StatusCode, text, response.Headers.Location?.ToString(), response.Headers.ToString());
    }

    [GeneratedRegex("name=\"__RequestVerificationToken\" value=\"([^\"]+)\"")]
    private static partial Regex Tokens();
}

/// <summary>What a visitor saw.</summary>
internal sealed record Seen(int Status, string Text, string? Location, string Headers);
