using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using Polly.CircuitBreaker;
using SpeedupLlm.Gateway.Configuration;
using SpeedupLlm.Gateway.Errors;
using SpeedupLlm.Gateway.Requests;

namespace SpeedupLlm.Gateway.Forwarding;

/// <summary>What is special about a forwarded answer.</summary>
internal readonly record struct ForwardedAnswer
{
    /// <summary>Sees every piece of it that goes out, or null.</summary>
    public Action<ReadOnlyMemory<byte>>? Heard { get; init; }

    /// <summary>Why the request was not treated, for the header; null if it was not to be.</summary>
    public string? Bypass { get; init; }

    /// <summary>Whether it has to be a completion: then one that comes whole is looked at before it goes out.</summary>
    public bool IsCompletion { get; init; }
}

/// <summary>Forwards a request as it is, and its answer as it comes: chunk by chunk, nothing held back.</summary>
internal sealed class Forwarder(GatewayOptions options, TimeProvider clock)
{
    /// <summary>Forwards a request to the first upstream that takes it.</summary>
    /// <param name="http">The request and its answer.</param>
    /// <param name="path">The operation after <c>/v1</c>, with the query.</param>
    /// <param name="upstreams">Who may answer, in order; at least one.</param>
    /// <param name="body">The body, or null: then it is streamed as it comes, and nothing can be tried twice.</param>
    /// <param name="answer">What is special about the answer.</param>
    /// <returns>Whether the answer came to its end; if not, the caller was told.</returns>
    /// <exception cref="ApiErrorException">Nobody answered.</exception>
    public async Task<bool> ForwardAsync(HttpContext http, string path, IReadOnlyList<Upstream> upstreams, ReadOnlyMemory<byte>? body, ForwardedAnswer answer = default)
    {
        var patience = new Patience(TimeSpan.FromSeconds(options.Limits.RetrySeconds), clock);
        for (var turn = 0; ; turn++)
        {
            var upstream = upstreams[turn % upstreams.Count];
            using var silence = new Silence(TimeSpan.FromSeconds(upstream.Options.TimeoutSeconds), clock, http.RequestAborted);
            var last = body is null || turn >= upstreams.Count - 1;
            using var response = await TryAsync(http, path, upstream, body, last, answer, silence);
            if (response is null)
                continue;
            silence.Heard();
            if (IsWorthAnother(response.StatusCode) && body is not null)
            {
                if (!last)
                    continue;
                // all have been asked: whoever says when to come back is asked again, while there is time
                if (await patience.WaitAsync(WaitOf(response), http.RequestAborted))
                {
                    turn = -1;
                    continue;
                }
            }
            return await AnswerAsync(http, response, silence, answer);
        }
    }

    /// <summary>Asks one upstream; null if it is not there and another may be asked.</summary>
    private async ValueTask<HttpResponseMessage?> TryAsync(HttpContext http, string path, Upstream upstream, ReadOnlyMemory<byte>? body, bool last, ForwardedAnswer answer, Silence silence)
    {
        using var request = RequestFor(http, upstream.AddressOf(path), upstream, body);
        // what is listened to must not come compressed
        if (answer.Heard is not null)
            request.Headers.Remove(HeaderNames.AcceptEncoding);
        try
        {
            return await upstream.SendAsync(request, silence.Token);
        }
        catch (BrokenCircuitException e)
        {
            if (!last)
                return null;
            throw new ApiErrorException(upstream.Broken(e));
        }
        catch (HttpRequestException e)
        {
            if (!last)
                return null;
            throw new ApiErrorException(ApiError.Upstream(e.HttpRequestError is HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError
                ? $"The upstream “{upstream.Options.Name}” cannot be reached."
                : $"The upstream “{upstream.Options.Name}” broke off before it answered."));
        }
        catch (OperationCanceledException) when (silence.IsOver)
        {
            if (!last)
                return null;
            throw new ApiErrorException(ApiError.Upstream($"The upstream “{upstream.Options.Name}” was silent for {upstream.Options.TimeoutSeconds.ToString(System.Globalization.CultureInfo.InvariantCulture)} s.", StatusCodes.Status504GatewayTimeout));
        }
    }

    private HttpRequestMessage RequestFor(HttpContext http, Uri address, Upstream upstream, ReadOnlyMemory<byte>? body)
    {
        var request = new HttpRequestMessage(HttpMethod.Parse(http.Request.Method), address)
        {
            Version = address.Scheme == Uri.UriSchemeHttps ? HttpVersion.Version20 : HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
        };
        if (body is { } bytes)
        {
            if (bytes.Length > 0)
                request.Content = new ReadOnlyMemoryContent(bytes);
        }
        else if (http.Request.ContentLength > 0 || http.Request.Headers.TransferEncoding.Count > 0)
        {
            request.Content = new StreamContent(new CallersBody(http.Request));
            request.Content.Headers.ContentLength = http.Request.ContentLength;
        }
        // a key of ours never leaves: with tenants the caller's key is one of ours
        var authorization = upstream.Authorization ?? (options.Tenants.Count == 0 ? (string?)http.Request.Headers.Authorization : null);
        HeaderRules.Copy(http.Request, request, authorization);
        return request;
    }

    private static async Task<bool> AnswerAsync(HttpContext http, HttpResponseMessage response, Silence silence, ForwardedAnswer answer)
    {
        var isStream = response.Content.Headers.ContentType?.MediaType == "text/event-stream";
        if (response.StatusCode == HttpStatusCode.OK && response.Content.Headers.ContentType?.MediaType == "text/html")
            throw new ApiErrorException(ApiError.Upstream("The upstream answered with a web page: is its url an API's root such as http://host/v1?"));
        using var held = new HeldAnswer();
        try
        {
            var stream = await response.Content.ReadAsStreamAsync(silence.Token);
            var isHeld = answer.IsCompletion && !isStream && response.StatusCode == HttpStatusCode.OK && response.Content.Headers.ContentEncoding.Count == 0;
            if (isHeld && await held.FillAsync(stream, silence) && !held.IsCompletion)
                throw new ApiErrorException(ApiError.Upstream("The upstream's answer is no completion: it is cut off, or has no choices."));
            HeaderRules.Copy(response, http.Response);
            if (answer.Bypass is { } why)
                http.Response.Headers[Treatment.HeaderPrefix + "Bypass"] = Uri.EscapeDataString(why).Replace("%20", " ", StringComparison.Ordinal);
            for (var piece = held.Bytes; ;)
            {
                if (!piece.IsEmpty)
                {
                    answer.Heard?.Invoke(piece);
                    await http.Response.Body.WriteAsync(piece, silence.Token);
                }
                var read = await stream.ReadAsync(held.Buffer, silence.Token);
                if (read == 0)
                    return true;
                silence.Heard();
                piece = held.Buffer[..read];
            }
        }
        catch (Exception e) when (!http.RequestAborted.IsCancellationRequested && e is HttpRequestException or IOException or OperationCanceledException)
        {
            // a stream can still say what happened; a whole answer that is cut short must not look whole
            if (!isStream && http.Response.HasStarted)
                http.Abort();
            else if (!http.Response.HasStarted)
                throw new ApiErrorException(ApiError.Upstream("The upstream broke off before it answered."));
            else
                await ApiError.Upstream("The upstream stopped in the middle of the answer.").WriteEventAsync(http.Response, http.RequestAborted);
            return false;
        }
    }

    private static bool IsWorthAnother(HttpStatusCode status) =>
        status is HttpStatusCode.TooManyRequests or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout or HttpStatusCode.InternalServerError;

    /// <summary>What Retry-After asks for, in seconds or as a date by the upstream's own clock; null if it asks for nothing.</summary>
    private TimeSpan? WaitOf(HttpResponseMessage response) => response.Headers.RetryAfter is { } retry
        ? retry.Delta ?? (retry.Date is { } date ? date - (response.Headers.Date ?? clock.GetUtcNow()) : null)
        : null;
}
