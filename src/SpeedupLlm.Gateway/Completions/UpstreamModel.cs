using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;
using Polly.CircuitBreaker;
using SpeedupLlm.Gateway.Errors;
using SpeedupLlm.Gateway.Forwarding;

namespace SpeedupLlm.Gateway.Completions;

/// <summary>A model at an upstream, behind the circuit breaker that its forwarded requests go through too. Thread-safe.</summary>
/// <param name="upstream">The upstream.</param>
/// <param name="model">A client of the model; is disposed with this one.</param>
internal sealed class UpstreamModel(Upstream upstream, IChatClient model) : DelegatingChatClient(model)
{
    /// <inheritdoc/>
    /// <exception cref="ApiErrorException">The upstream gets no requests at the moment.</exception>
    public override async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        await AskAsync(async token => await base.GetResponseAsync(messages, options, token), cancellationToken);

    /// <inheritdoc/>
    /// <exception cref="ApiErrorException">The upstream gets no requests at the moment.</exception>
    public override async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await using var updates = base.GetStreamingResponseAsync(messages, options, cancellationToken).GetAsyncEnumerator(cancellationToken);
        for (var some = await AskAsync(_ => updates.MoveNextAsync(), cancellationToken); some; some = await updates.MoveNextAsync())
            yield return updates.Current;
    }

    private async ValueTask<T> AskAsync<T>(Func<CancellationToken, ValueTask<T>> ask, CancellationToken cancellationToken)
    {
        try
        {
            return await upstream.AskAsync(ask, cancellationToken);
        }
        catch (BrokenCircuitException e)
        {
            throw new ApiErrorException(upstream.Broken(e));
        }
    }
}
