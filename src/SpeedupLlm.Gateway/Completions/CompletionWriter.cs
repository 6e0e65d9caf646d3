using System.Buffers;
using Microsoft.AspNetCore.Http;
using SpeedupLlm.Gateway.Errors;

namespace SpeedupLlm.Gateway.Completions;

/// <summary>A piece of an answer, or what it took when it is over.</summary>
internal readonly record struct AnswerPiece(string Text, AnswerAccount? End);

/// <summary>Delivers an answer: whole, or as a stream that stays alive while the search goes on.</summary>
internal sealed class CompletionWriter(ErrorExplanation explanation, TimeProvider clock, TimeSpan keepAlive)
{
    private static readonly byte[] Comment = ": searching\n\n"u8.ToArray();

    /// <summary>Collects the answer, then writes it, unless it was forwarded.</summary>
    public static async Task<AnswerAccount> WriteWholeAsync(HttpContext http, CompletionName name, IAsyncEnumerable<AnswerPiece> answer, Func<bool> isForwarded, CancellationToken cancellationToken)
    {
        var text = "";
        AnswerAccount? account = null;
        await foreach (var piece in answer.WithCancellation(cancellationToken))
        {
            text += piece.Text;
            account = piece.End;
        }
        if (isForwarded())
            return account!;
        var body = new ArrayBufferWriter<byte>(1024);
        CompletionJson.WriteWhole(body, name, text, account!.Finish, account);
        http.Response.ContentType = "application/json";
        http.Response.ContentLength = body.WrittenCount;
        await http.Response.Body.WriteAsync(body.WrittenMemory, cancellationToken);
        return account;
    }

    /// <summary>Writes the answer as it comes. What fails before the first byte keeps its status; after it, the failure is an event (case 4).</summary>
    public async Task<AnswerAccount?> WriteStreamAsync(
        HttpContext http, CompletionName name, IAsyncEnumerable<AnswerPiece> answer, bool includeUsage, Func<bool> isForwarded, CancellationToken cancellationToken)
    {
        await using var pieces = answer.GetAsyncEnumerator(cancellationToken);
        try
        {
            var first = true;
            while (await NextAsync(http, pieces, isForwarded, cancellationToken))
            {
                if (pieces.Current.End is { } account)
                {
                    if (isForwarded())
                        return account;
                    await EndAsync(http, name, account, first, includeUsage, cancellationToken);
                    return account;
                }
                if (!isForwarded())
                    await SendAsync(http, to => CompletionJson.WriteText(to, name, pieces.Current.Text, first), cancellationToken);
                first = false;
            }
            throw new InvalidOperationException("An answer ended without an account.");
        }
        catch (Exception e) when (http.Response.HasStarted && !isForwarded() && !http.RequestAborted.IsCancellationRequested)
        {
            await explanation.Of(e).WriteEventAsync(http.Response, http.RequestAborted);
            return null;
        }
    }

    private static async Task EndAsync(HttpContext http, CompletionName name, AnswerAccount account, bool empty, bool includeUsage, CancellationToken cancellationToken)
    {
        if (empty)
            await SendAsync(http, to => CompletionJson.WriteText(to, name, "", first: true), cancellationToken);
        await SendAsync(http, to => CompletionJson.WriteEnd(to, name, account.Finish, account), cancellationToken);
        if (includeUsage)
            await SendAsync(http, to => CompletionJson.WriteUsage(to, name, account), cancellationToken);
        await http.Response.Body.WriteAsync("data: [DONE]\n\n"u8.ToArray(), cancellationToken);
    }

    /// <summary>Waits for the next piece, and says from time to time that it is still waiting.</summary>
    private async ValueTask<bool> NextAsync(HttpContext http, IAsyncEnumerator<AnswerPiece> pieces, Func<bool> isForwarded, CancellationToken cancellationToken)
    {
        var next = pieces.MoveNextAsync();
        if (next.IsCompleted)
            return await next;
        var waiting = next.AsTask();
        while (!waiting.IsCompleted)
        {
            using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var silence = Task.Delay(keepAlive, clock, enough.Token);
            if (await Task.WhenAny(waiting, silence) == waiting)
            {
                await enough.CancelAsync();
                break;
            }
            if (!cancellationToken.IsCancellationRequested && !isForwarded())
            {
                Begin(http);
                await http.Response.Body.WriteAsync(Comment, cancellationToken);
            }
        }
        return await waiting;
    }

    private static async ValueTask SendAsync(HttpContext http, Action<IBufferWriter<byte>> write, CancellationToken cancellationToken)
    {
        Begin(http);
        var chunk = new ArrayBufferWriter<byte>(512);
        chunk.Write("data: "u8);
        write(chunk);
        chunk.Write("\n\n"u8);
        await http.Response.Body.WriteAsync(chunk.WrittenMemory, cancellationToken);
    }

    private static void Begin(HttpContext http)
    {
        if (http.Response.HasStarted)
            return;
        http.Response.ContentType = "text/event-stream; charset=utf-8";
        http.Response.Headers.CacheControl = "no-cache";
        // proxies that buffer would hold the stream back
        http.Response.Headers["X-Accel-Buffering"] = "no";
    }
}
