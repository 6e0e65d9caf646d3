using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using Microsoft.Extensions.AI;
using SpeedupLlm.Gateway.Errors;
using SpeedupLlm.Gateway.Forwarding;

namespace SpeedupLlm.Gateway.Completions;

/// <summary>The endpoints of one model: when one fails, the next is asked, and after the last whoever said when to come back, as forwarded requests are. What has begun to stream is not begun again. Thread-safe.</summary>
/// <param name="clients">In the order of asking; at least one. They are disposed with it.</param>
/// <param name="explanation">Says what failed.</param>
/// <param name="retry">How long after the first try a call may be tried again.</param>
/// <param name="clock">The clock.</param>
internal sealed class FailOver(IReadOnlyList<IChatClient> clients, ErrorExplanation explanation, TimeSpan retry, TimeProvider clock) : IChatClient
{
    public async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var patience = new Patience(retry, clock);
        for (var i = 0; ; i = (i + 1) % clients.Count)
        {
            Exception failure;
            try
            {
                return await clients[i].GetResponseAsync(messages, options, cancellationToken);
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested && IsWorthAnother(e))
            {
                failure = e;
            }
            if (i == clients.Count - 1 && !await patience.WaitAsync(WaitOf(failure), cancellationToken))
                ExceptionDispatchInfo.Throw(failure);
        }
    }

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var patience = new Patience(retry, clock);
        for (var i = 0; ; i = (i + 1) % clients.Count)
        {
            await using var updates = clients[i].GetStreamingResponseAsync(messages, options, cancellationToken).GetAsyncEnumerator(cancellationToken);
            bool some;
            Exception? failure = null;
            try
            {
                some = await updates.MoveNextAsync();
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested && IsWorthAnother(e))
            {
                (some, failure) = (false, e);
            }
            if (failure is not null)
            {
                if (i == clients.Count - 1 && !await patience.WaitAsync(WaitOf(failure), cancellationToken))
                    ExceptionDispatchInfo.Throw(failure);
                continue;
            }
            for (; some; some = await updates.MoveNextAsync())
                yield return updates.Current;
            yield break;
        }
    }

    public object? GetService(Type serviceType, object? serviceKey = null) => clients[0].GetService(serviceType, serviceKey);

    public void Dispose()
    {
        foreach (var client in clients)
            client.Dispose();
    }

    /// <summary>500 is a fault of our own, which no other endpoint mends.</summary>
    private bool IsWorthAnother(Exception failure) => explanation.Of(failure).Status is > 500 or 429;

    /// <summary>What the endpoint asks for. Nobody waits for one that is left alone at the moment.</summary>
    private TimeSpan? WaitOf(Exception failure) => failure is ApiErrorException ? null : explanation.Of(failure).RetryAfter;
}
