using Microsoft.Extensions.AI;
using SpeedupLlm.Experience;
using SpeedupLlm.Gateway.Configuration;

namespace SpeedupLlm.Gateway;

/// <summary>What the gateway is put together from: things that it does not know how to make. It disposes none of them but the clients of <see cref="Connect"/>.</summary>
public sealed record GatewayParts
{
    /// <summary>Where experience is kept.</summary>
    public required IExperienceStore Store { get; init; }

    /// <summary>Makes a client of a model behind an upstream, for questions that are treated. It tries each call once: the gateway tries again, here or at another upstream.</summary>
    public required Func<UpstreamOptions, string, IChatClient> Connect { get; init; }

    /// <summary>The model that answers when no upstream is configured, or null.</summary>
    public EmbeddedModel? Embedded { get; init; }

    /// <summary>Says what failed at an endpoint, for exceptions of <see cref="Connect"/>'s clients; null if the exception is none of theirs.</summary>
    public Func<Exception, EndpointFailure?> Explain { get; init; } = static _ => null;

    /// <summary>Reads the environment: keys of upstreams.</summary>
    public Func<string, string?> Variable { get; init; } = Environment.GetEnvironmentVariable;

    /// <summary>The clock.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;
}

/// <summary>A model in this process.</summary>
/// <param name="Name">Its name in the list of models.</param>
/// <param name="Client">The model.</param>
public sealed record EmbeddedModel(string Name, IChatClient Client);

/// <summary>What failed at an endpoint.</summary>
/// <param name="Status">The status that the caller should see.</param>
/// <param name="Message">One line.</param>
/// <param name="RetryAfter">How long the endpoint asks to wait, or null.</param>
/// <param name="Code">OpenAI's code for it, or null.</param>
public sealed record EndpointFailure(int Status, string Message, TimeSpan? RetryAfter = null, string? Code = null)
{
    /// <summary>Whether the endpoint itself fails, so that it had better be left alone for a while. Default: the status is 500 or more.</summary>
    public bool IsOutage { get; init; } = Status >= 500;
}
