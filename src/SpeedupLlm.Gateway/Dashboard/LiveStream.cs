using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using SpeedupLlm.Gateway.Errors;
using SpeedupLlm.Gateway.History;

namespace SpeedupLlm.Gateway.Dashboard;

/// <summary>Sends the parts of the overview that changed, as server-sent events with the part's name and its HTML. Thread-safe.</summary>
internal sealed class LiveStream(ViewReader views, PageRenderer renderer, SignIn signIn, UsageHistory history, GatewaySwitch mode, IHostApplicationLifetime lifetime, TimeProvider clock)
{
    // what other replicas did is looked for less often than what happened here
    private static readonly TimeSpan Pace = TimeSpan.FromSeconds(1), Elsewhere = TimeSpan.FromSeconds(10);

    // the browser comes again, and must still be signed in then
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(1);

    // it is parsed as JSON, never read as HTML before that
    private static readonly JsonWriterOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private const int Most = 32;

    private int _open;

    /// <summary>Writes events until the browser goes, the server stops or it is time to come again.</summary>
    /// <exception cref="ApiErrorException">Too many look on at once.</exception>
    public async Task WriteAsync(HttpContext http)
    {
        if (Interlocked.Increment(ref _open) > Most)
        {
            Interlocked.Decrement(ref _open);
            throw new ApiErrorException(ApiError.TooMany("Too many dashboards are open.", Longest));
        }
        try
        {
            using var until = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, lifetime.ApplicationStopping);
            await SendAsync(http, until.Token);
        }
        catch (OperationCanceledException)
        {
            // nobody is there any more, or the server stops
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }

    private async Task SendAsync(HttpContext http, CancellationToken cancellationToken)
    {
        // one for the whole stream: cookies can be set before it begins only
        var token = signIn.TokenFor(http);
        http.Response.ContentType = "text/event-stream";
        http.Response.Headers.CacheControl = "no-store";
        http.Response.Headers["X-Accel-Buffering"] = "no";
        await http.Response.WriteAsync("retry: 1000\n\n", cancellationToken);
        var sent = new Dictionary<string, string>(StringComparer.Ordinal);
        var began = clock.GetTimestamp();
        var (seen, looked) = ((-1L, mode.Mode), 0L);
        using var timer = new PeriodicTimer(Pace, clock);
        do
        {
            var version = (history.Version, mode.Mode);
            if (version == seen && clock.GetElapsedTime(looked) < Elsewhere)
                continue;
            (seen, looked) = (version, clock.GetTimestamp());
            var view = await views.OverviewAsync(http.Request, token, cancellationToken);
            foreach (var (name, part) in OverviewPage.Parts)
            {
                var html = await renderer.RenderAsync(part, view);
                if (sent.TryGetValue(name, out var before) && before == html)
                    continue;
                sent[name] = html;
                await WriteAsync(http, name, html, cancellationToken);
            }
            await http.Response.Body.FlushAsync(cancellationToken);
        }
        while (clock.GetElapsedTime(began) < Longest && await timer.WaitForNextTickAsync(cancellationToken));
    }

    private static async Task WriteAsync(HttpContext http, string name, string html, CancellationToken cancellationToken)
    {
        var data = new ArrayBufferWriter<byte>();
        data.Write("event: part\ndata: "u8);
        await using (var json = new Utf8JsonWriter(data, Json))
        {
            json.WriteStartObject();
            json.WriteString("part", name);
            json.WriteString("html", html);
            json.WriteEndObject();
        }
        data.Write("\n\n"u8);
        await http.Response.Body.WriteAsync(data.WrittenMemory, cancellationToken);
    }
}
