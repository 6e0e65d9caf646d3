using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace SpeedupLlm.Gateway.Errors;

/// <summary>An error as OpenAI's API tells it.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Message">One sentence for people.</param>
/// <param name="Type">The kind: <c>invalid_request_error</c>, <c>authentication_error</c>, <c>rate_limit_error</c>, <c>server_error</c>, …</param>
/// <param name="Code">The machine's word for it, or null.</param>
/// <param name="Parameter">The field that is wrong, or null.</param>
internal sealed record ApiError(int Status, string Message, string Type, string? Code = null, string? Parameter = null)
{
    /// <summary>How long to wait before asking again, or null.</summary>
    public TimeSpan? RetryAfter { get; init; }

    public static ApiError Invalid(string message, string? parameter = null, string? code = null) =>
        new(StatusCodes.Status400BadRequest, message, "invalid_request_error", code, parameter);

    /// <summary>A text that is not one: a lone surrogate, or bytes that are no UTF-8.</summary>
    public static ApiError HalfACharacter(string? parameter = null) => Invalid("The request holds half a character: a lone surrogate, or bytes that are no UTF-8.", parameter, "invalid_json");

    /// <summary>What the server found wrong with a request, in its own words.</summary>
    public static ApiError Of(BadHttpRequestException bad) =>
        new(bad.StatusCode, bad.Message, "invalid_request_error", bad.StatusCode == StatusCodes.Status413PayloadTooLarge ? "request_too_large" : null);

    public static ApiError NoModel(string model) =>
        new(StatusCodes.Status404NotFound, $"The model “{model}” is not served here.", "invalid_request_error", "model_not_found", "model");

    public static ApiError NotFound(string message) => new(StatusCodes.Status404NotFound, message, "invalid_request_error", "not_found");

    public static ApiError TooMany(string message, TimeSpan retryAfter) =>
        new(StatusCodes.Status429TooManyRequests, message, "rate_limit_error", "rate_limit_exceeded") { RetryAfter = retryAfter };

    public static ApiError Upstream(string message, int status = StatusCodes.Status502BadGateway) => new(status, message, "upstream_error", "upstream_failed");

    /// <summary>Writes it as a whole answer; the answer must not have started.</summary>
    public Task WriteAsync(HttpResponse response, CancellationToken cancellationToken)
    {
        response.Clear();
        response.StatusCode = Status;
        response.ContentType = "application/json";
        if (RetryAfter is { } wait)
            response.Headers.RetryAfter = Math.Ceiling(Math.Max(0, wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        var body = ToJson();
        response.ContentLength = body.Length;
        return response.Body.WriteAsync(body, cancellationToken).AsTask();
    }

    /// <summary>Writes it into a stream of events that has started. No end of the answer is made up (case 4).</summary>
    public async Task WriteEventAsync(HttpResponse response, CancellationToken cancellationToken)
    {
        // what was cut off in the middle of a line must not swallow the event
        await response.Body.WriteAsync("\n\ndata: "u8.ToArray(), cancellationToken);
        await response.Body.WriteAsync(ToJson(), cancellationToken);
        await response.Body.WriteAsync("\n\n"u8.ToArray(), cancellationToken);
    }

    private byte[] ToJson()
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartObject("error");
            json.WriteString("message", Message);
            json.WriteString("type", Type);
            json.WriteString("param", Parameter);
            json.WriteString("code", Code);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return buffer.ToArray();
    }
}

/// <summary>The request ends with an error. Remedy: what the message says.</summary>
internal sealed class ApiErrorException(ApiError error) : Exception(error.Message)
{
    public ApiError Error { get; } = error;
}
