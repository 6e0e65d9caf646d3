using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;

namespace SpeedupLlm.GatewayBenchmarks.Servers;

/// <summary>A model that takes no time: the same answer at once, whole or in twenty chunks that go out one by one. What asks it to fail gets 503, or half a stream.</summary>
internal static class FakeUpstream
{
    public const string Role = "upstream";

    /// <summary>A request with it in its text is failed.</summary>
    public const string FailMark = "PLEASE-FAIL";

    private const int Chunks = 20;

    private static readonly byte[] Whole = Completion("40 and 2 is 42, because two more than forty are forty-two.\\nAnswer: 42");
    private static readonly byte[] Judged = Completion("SCORE: 9");
    private static readonly byte[] Chunk = Event("{\"content\":\" word\"}", "null");
    private static readonly byte[] Last = [.. Event("{\"content\":\"\\nAnswer: 42\"}", "null"), .. Event("{}", "\"stop\""), .. "data: [DONE]\n\n"u8];

    public static async Task RunAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0));
        await using var server = builder.Build();
        server.Run(AnswerAsync);
        await server.StartAsync(CancellationToken.None);
        Console.WriteLine(server.Urls.Single());
        await server.WaitForShutdownAsync(CancellationToken.None);
    }

    private static async Task AnswerAsync(HttpContext http)
    {
        ReadResult read;
        while (!(read = await http.Request.BodyReader.ReadAsync(http.RequestAborted)).IsCompleted)
            http.Request.BodyReader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        var (streams, judges, fails) = Look(read.Buffer);
        http.Request.BodyReader.AdvanceTo(read.Buffer.End);
        if (fails && !streams)
        {
            http.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return;
        }
        if (!streams)
        {
            var body = judges ? Judged : Whole;
            http.Response.ContentType = "application/json";
            http.Response.ContentLength = body.Length;
            await http.Response.Body.WriteAsync(body, http.RequestAborted);
            return;
        }
        http.Response.ContentType = "text/event-stream";
        for (var i = 0; i < (fails ? Chunks / 2 : Chunks); i++)
            await http.Response.Body.WriteAsync(Chunk, http.RequestAborted);
        if (fails)
            http.Abort();
        else
            await http.Response.Body.WriteAsync(Last, http.RequestAborted);
    }

    private static (bool Streams, bool Judges, bool Fails) Look(ReadOnlySequence<byte> request)
    {
        var body = request.IsSingleSegment ? request.FirstSpan : request.ToArray();
        return (body.IndexOf("\"stream\":true"u8) >= 0, body.IndexOf("SCORE: n"u8) >= 0, body.IndexOf(Encoding.ASCII.GetBytes(FailMark)) >= 0);
    }

    private static byte[] Completion(string text) => Encoding.UTF8.GetBytes(
        $$$"""{"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"{{{text}}}","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":120,"completion_tokens":20,"total_tokens":140}}""");

    private static byte[] Event(string delta, string finish) => Encoding.UTF8.GetBytes(
        $$$"""data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"m","choices":[{"index":0,"delta":{{{delta}}},"finish_reason":{{{finish}}}}]}""" + "\n\n");
}
