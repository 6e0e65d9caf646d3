using Microsoft.AspNetCore.Http;
using SpeedupLlm.Compute;
using SpeedupLlm.Memory;

namespace SpeedupLlm.Gateway.Errors;

/// <summary>Turns what went wrong into OpenAI's words.</summary>
internal sealed class ErrorExplanation(GatewayParts parts)
{
    /// <summary>The error that the caller hears. Faults of our own tell nothing of the inside.</summary>
    public ApiError Of(Exception exception) => exception switch
    {
        ApiErrorException known => known.Error,
        BadHttpRequestException bad => ApiError.Of(bad),
        ContextLengthException tooLong => ApiError.Invalid(tooLong.Message, "messages", "context_length_exceeded"),
        MemoryNotSupportedException memory => ApiError.Invalid(memory.Message, "speedup.memory"),
        ModelFailedException { InnerException: { } inner } => Of(inner),
        AggregateException { InnerException: { } inner } => Of(inner),
        _ when parts.Explain(exception) is { } failure => FromEndpoint(failure),
        OperationCanceledException => new(StatusCodes.Status504GatewayTimeout, "The answer took too long.", "timeout_error", "timeout"),
        HttpRequestException => ApiError.Upstream($"The model failed: {exception.Message}"),
        _ => new(StatusCodes.Status500InternalServerError, "The gateway failed.", "server_error", "internal"),
    };

    private static ApiError FromEndpoint(EndpointFailure failure) => failure.Status switch
    {
        StatusCodes.Status429TooManyRequests => ApiError.TooMany(failure.Message, failure.RetryAfter ?? TimeSpan.FromSeconds(1)),
        >= 400 and < 500 => new(failure.Status, failure.Message, "invalid_request_error", failure.Code),
        _ => ApiError.Upstream(failure.Message, failure.Status is >= 500 and < 600 ? failure.Status : StatusCodes.Status502BadGateway) with { RetryAfter = failure.RetryAfter },
    };
}
