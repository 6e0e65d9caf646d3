using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace SpeedupLlm.Gateway.Completions;

/// <summary>Several endpoints of one model: when one fails, the next is asked. What has begun to stream is not begun again. Thread-safe.</summary>
/// <param name="clients">In the order of asking; at least one. They are disposed with it.</param>
/// <param name="mayHelp">Whether another endpoint may do better after such a failure.</param>
internal sealed class FailOver(IReadOnlyList<IChatClient> clients, Func<Exception, bool> mayHelp) : IChatClient
{
    public async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        for (var i = 0; ; i++)
        {
            try
            {
                return await clients[i].GetResponseAsync(messages, options, cancellationToken);
            }
            catch (Exception e) when (i < clients.Count - 1 && !cancellationToken.IsCancellationRequested && mayHelp(e))
            {
                // the next one is asked
            }
        }
    }

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        for (var i = 0; i < clients.Count; i++)
        {
            await using var updates = clients[i].GetStreamingResponseAsync(messages, options, cancellationToken).GetAsyncEnumerator(cancellationToken);
            bool some;
            try
            {
                some = await updates.MoveNextAsync();
            }
            catch (Exception e) when (i < clients.Count - 1 && !cancellationToken.IsCancellationRequested && mayHelp(e))
            {
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
}
