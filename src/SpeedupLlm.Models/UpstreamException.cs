namespace SpeedupLlm.Models;

/// <summary>The endpoint failed: it answered with something that is no answer, with an error of its own, or stopped in the middle. Remedy: look at the server.</summary>
/// <remarks>The base of all that can go wrong at an endpoint. The message is one line, names the endpoint and never carries the key.</remarks>
public class UpstreamException : Exception
{
    /// <summary>An exception with a one-line message.</summary>
    public UpstreamException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }

    /// <summary>The HTTP status of the answer, or null if there was none.</summary>
    public int? Status { get; init; }

    /// <summary>How long the endpoint asks to wait, or null if it did not say.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Whether the same request may succeed a moment later.</summary>
    public bool Transient { get; init; }
}

/// <summary>The endpoint still refuses with 429 at the end of the deadline. Remedy: wait for <see cref="UpstreamException.RetryAfter"/>, or send less at once.</summary>
public sealed class RateLimitedException : UpstreamException
{
    /// <summary>An exception with a one-line message.</summary>
    public RateLimitedException(string message, TimeSpan? retryAfter)
        : base(message)
    {
        RetryAfter = retryAfter;
        Status = 429;
        Transient = true;
    }
}

/// <summary>Nobody answers at the endpoint's address. Remedy: start the server, or correct the address.</summary>
public sealed class EndpointUnreachableException(string message, Exception? inner = null) : UpstreamException(message, inner);

/// <summary>The endpoint refuses the key, or wants one. Remedy: set the environment variable <see cref="Variable"/>.</summary>
public sealed class KeyRefusedException(string message, string variable) : UpstreamException(message)
{
    /// <summary>The environment variable that the key is read from.</summary>
    public string Variable { get; } = variable;
}

/// <summary>The endpoint refuses the request itself. Remedy: another request; <see cref="Parameter"/> says which field, if the endpoint did.</summary>
public sealed class RequestRefusedException(string message, string? parameter = null) : UpstreamException(message)
{
    /// <summary>The refused field, or null.</summary>
    public string? Parameter { get; } = parameter;
}

/// <summary>Prompt and answer do not fit into the model's context. Remedy: a shorter prompt, or a model with a longer context.</summary>
public sealed class PromptTooLongException(string message) : UpstreamException(message);
