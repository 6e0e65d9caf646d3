using System.ClientModel;
using System.ClientModel.Primitives;
using System.Globalization;
using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace SpeedupLlm.Models;

/// <summary>Turns what went wrong at an endpoint into one line with its remedy.</summary>
internal sealed partial class EndpointErrors(Uri endpoint, string keyVariable, string? key, TimeSpan timeout, TimeProvider time)
{
    /// <summary>The address without user, password and query: fit for messages.</summary>
    public string Address { get; } = endpoint.GetComponents(UriComponents.Scheme | UriComponents.HostAndPort | UriComponents.Path, UriFormat.UriEscaped).TrimEnd('/');

    /// <summary>An answer with a status of 400 or more.</summary>
    public UpstreamException FromStatus(int status, PipelineResponseHeaders headers, ErrorBody error, string model)
    {
        var said = error.Message.Length == 0 ? "" : ": " + Clean(error.Message);
        return status switch
        {
            401 or 403 when error.Code is not "unsupported_country_region_territory" => new KeyRefusedException(key is null
                ? $"{Address} wants a key ({Number(status)}{said}), and the environment variable {keyVariable} is not set: set it to a key of this endpoint."
                : $"{Address} refuses the key in {keyVariable} ({Number(status)}{said}): set it to a key of this endpoint.", keyVariable)
            { Status = status },
            404 => new RequestRefusedException($"{Address} has no model “{model}”, or the address is not an API's root such as http://host/v1 (404{said}).", error.Parameter) { Status = status },
            429 when error.Code is "insufficient_quota" || error.Type is "insufficient_quota" => new UpstreamException($"{Address}: the account's quota is used up (429{said}).") { Status = status },
            429 => new RateLimitedException($"{Address} is asked too often (429{said}){Wait(RetryAfter(headers))}.", RetryAfter(headers)),
            400 or 413 or 422 or 500 when IsContextLength(error) => new PromptTooLongException($"{Address}: the prompt does not fit into the context of “{model}” ({Number(status)}{said}).") { Status = status },
            408 or 409 or >= 500 => new UpstreamException($"{Address} failed ({Number(status)}{said}).") { Status = status, Transient = true, RetryAfter = RetryAfter(headers) },
            _ => new RequestRefusedException($"{Address} refuses the request ({Number(status)}{said}).", error.Parameter) { Status = status },
        };
    }

    /// <summary>An answer of status 200 that is none (case 1).</summary>
    public UpstreamException NoAnswer(string what) => new($"{Address} answered 200 with {Clean(what)}.") { Status = 200 };

    /// <summary>The answer stopped in its middle (case 4).</summary>
    public UpstreamException Broken(string how, Exception? inner = null) => new($"{Address} stopped in the middle of the answer: {Clean(how)}.", inner);

    /// <summary>An exception of the network, or null if it is something else.</summary>
    public UpstreamException? FromNetwork(Exception exception) => exception switch
    {
        AggregateException { InnerException: { } inner } => FromNetwork(inner),
        // the official client wraps what happened below HTTP
        ClientResultException { Status: 0, InnerException: { } inner } => FromNetwork(inner),
        HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError or HttpRequestError.ProxyTunnelError } e =>
            new EndpointUnreachableException($"Cannot reach {Address}: {Clean(Innermost(e))}. Is the server running, and the address right?", e),
        OperationCanceledException e => new UpstreamException($"{Address} was silent for {timeout.TotalSeconds.ToString("0.#", CultureInfo.InvariantCulture)} s.", e),
        HttpRequestException or IOException or SocketException => new UpstreamException($"The connection to {Address} broke: {Clean(Innermost(exception))}.", exception) { Transient = true },
        _ => null,
    };

    /// <summary>What an endpoint asks for in Retry-After: seconds or a date (case 2). Never negative.</summary>
    /// <remarks>A date is compared with the endpoint's own clock where it tells it, since clocks differ.</remarks>
    internal TimeSpan? RetryAfter(PipelineResponseHeaders headers)
    {
        if (headers.TryGetValue("retry-after-ms", out var text) && Seconds(text, 1000) is { } milliseconds)
            return milliseconds;
        if (!headers.TryGetValue("retry-after", out text) || text is null)
            return null;
        if (Seconds(text, 1) is { } seconds)
            return seconds;
        if (!Date(text, out var until))
            return null;
        var now = headers.TryGetValue("date", out var date) && Date(date, out var theirs) ? theirs : time.GetUtcNow();
        return until > now ? until - now : TimeSpan.Zero;
    }

    private string Clean(string text)
    {
        text = ErrorBody.Line(text).TrimEnd('.', ' ');
        return key is { Length: > 0 } ? text.Replace(key, "(key)", StringComparison.Ordinal) : text;
    }

    private static string Wait(TimeSpan? wait) =>
        wait is { } time ? $", again in {Math.Ceiling(time.TotalSeconds).ToString("0", CultureInfo.InvariantCulture)} s" : "";

    private static string Number(int status) => status.ToString(CultureInfo.InvariantCulture);

    private static TimeSpan? Seconds(string? text, double divisor) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && number / divisor < 1e9 ? TimeSpan.FromSeconds(number / divisor) : null;

    private static bool Date(string? text, out DateTimeOffset date) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out date);

    private static bool IsContextLength(ErrorBody error) =>
        error.Code is "context_length_exceeded" || error.Type is "exceed_context_size_error" || ContextLength().IsMatch(error.Message);

    private static string Innermost(Exception exception)
    {
        while (exception.InnerException is { } inner)
            exception = inner;
        return exception.Message;
    }

    [GeneratedRegex(@"\b(maximum context|context (length|size|window)|prompt is too long)\b", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex ContextLength();
}
