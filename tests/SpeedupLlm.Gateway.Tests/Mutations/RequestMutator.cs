using System.Globalization;
using System.Text;
using SpeedupLlm.Compute;

namespace SpeedupLlm.Gateway.Tests.Mutations;

/// <summary>How a client behaves once it has sent what it has.</summary>
internal enum Farewell
{
    /// <summary>It waits for the answer.</summary>
    Waits,

    /// <summary>It says that nothing more comes, and waits.</summary>
    Ends,

    /// <summary>It is gone at once.</summary>
    Resets,
}

/// <summary>A request as bytes on a connection.</summary>
/// <param name="Bytes">Head and body.</param>
/// <param name="Farewell">What the client does then.</param>
/// <param name="IsHead">Whether the answer has no body, whatever its length says.</param>
/// <param name="IsOfAnotherVersion">Whether 505 is the right answer.</param>
internal sealed record MutatedRequest(byte[] Bytes, Farewell Farewell, bool IsHead, bool IsOfAnotherVersion);

/// <summary>Makes requests that are wrong: in their JSON, their bytes, their headers, their target, or their framing.</summary>
internal static class RequestMutator
{
    private static readonly byte[][] Seeds = [.. new[]
    {
        """{"model":"m","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"How much are 40 and 2?"}],"temperature":0.5,"max_tokens":100,"stop":["x"],"stream":false}""",
        """{"model":"speedup/best-of-n/auto/m","messages":[{"role":"user","content":[{"type":"text","text":"né🚀"}]}],"stream":true,"stream_options":{"include_usage":true},"user":"u"}""",
        """{"speedup":{"scaling":"self-refine","memory":"none","tau":0.5,"samples":2},"model":"m","messages":[{"role":"user","content":"x"}],"response_format":{"type":"json_schema","json_schema":{"name":"a","schema":{}}},"n":1,"seed":3}""",
        """{"model":"m","messages":[{"role":"user","content":null},{"role":"assistant","tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","content":"y"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}]}""",
        """{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}},{"type":"text","text":"what?"}]}],"metadata":{"a":"b"},"logprobs":true,"top_p":1,"presence_penalty":0}""",
        """{"episode":"0123456789abcdef0123456789abcdef","verdict":"wrong"}""",
    }.Select(Encoding.UTF8.GetBytes)];

    private static readonly string[] Targets =
    [
        "/v1/chat/completions", "/v1/chat/completions", "/v1/chat/completions", "/v1/chat/completions", "/v1/chat/completions", "/v1/embeddings", "/v1/responses", "/v1/speedup/feedback",
    ];

    private static readonly string[] StrangeTargets =
    [
        "/", "*", "/v1", "/v1/", "//v1/chat/completions", "/V1/CHAT/COMPLETIONS", "/v1/chat/completions/", "/v1/../v1/models", "/v1/%2e%2e/%2e%2e/etc", "/v1/..%2f..%2fx", "/v1/%00", "/v1/%ff%fe", "/v1/%zz",
        "/v1/a%0d%0ab", "/v1/a b", "/v1/\xff", "/v1/[x]?y=[z]&%", "/v1/models?x=%00&y=\"<>\\^`{|}", "/v1/models#x", "http://elsewhere.example/v1/models", "http://127.0.0.1:1/v1/models", "127.0.0.1:80", "/v1/speedup",
        "/v1/speedup/memory?tenant=x", "/v1/speedup/memory?limit=99999999999999999999&q=%ff", "/v1/speedup/memory/%2e%2e", "/v1/speedup/memory/" + new string('a', 3000), "/v1/speedup/user?user=", "/v1/speedup/user?user=%00",
        "/v1/speedup/mode", "/v1/speedup/mode/x", "/v1/files?" + new string('q', 5000), "/v1/files?" + new string('q', 20_000), "/healthz?x", "/metrics", "/v1/:x", "/v1/@", "/v1/a;b=c/~d", "/v1/%E2%82%AC/é",
    ];

    private static readonly string[] Methods = ["GET", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT", "post", "FOO", "P\0ST", new('M', 200)];

    private static readonly string[] Versions = ["HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/9.9", "HTTP/1.1 ", "http/1.1", "", "HTTX/1.1"];

    private static readonly string[] Headers =
    [
        "X-Speedup-Samples: 1e9", "X-Speedup-Samples: -1", "X-Speedup-Tau: NaN", "X-Speedup-Tau: -1e999", "X-Speedup-Scaling: \xff\xfe", "X-Speedup-Scaling: off", "X-Speedup-Memory: sft", "X-Speedup-Memory:", "X-Speedup-Scorer: oracle",
        "X-Speedup-Conversation: " + new string('c', 5000), "X-Speedup-Scaling: off\r\nX-Speedup-Scaling: long-cot", "X-Speedup-\xe9: 1", "Authorization: Bearer", "Authorization: Bearer   ", "Authorization: bearer x\xffy",
        "Authorization: Basic Og==", "Authorization: " + new string('a', 8000), "Authorization: Bearer a\r\nAuthorization: Bearer b", "Cookie: a=b", "Origin: null", "Origin: http://evil.example", "Origin: ::::",
        "Accept-Encoding: gzip;q=\xff", "Accept: " + new string(',', 3000), "Content-Encoding: gzip", "Content-Encoding: br, gzip", "Expect: 100-continue", "Expect: 200-maybe", "Connection: close, X-Speedup-Tau", "Connection: \xff",
        "Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA", "Upgrade: \xe2", "TE: trailers", "Trailer: X-A",
        "Range: bytes=-1", "If-Match: *", "If-Modified-Since: never", "Date: tomorrow", "Content-MD5: x", "Allow: nothing", "Expires: -1", "Last-Modified: \xe9", "Content-Disposition: form-data; name=\"\xff\"", "Content-Language: \xfc",
        "Via: 1.1 \xe9", "Forwarded: for=\"_\xe9\"", "X-Forwarded-For: 127.0.0.1", "X-Forwarded-Host: evil.example", "traceparent: 00-zz-zz-01", "traceparent: 00-00000000000000000000000000000000-0000000000000000-ff",
        "tracestate: \xff=1", "baggage: " + new string('b', 9000), "User-Agent: \xf0\x9f\x9a\x80", "X-Name: J\xf6rg", "X-Utf: J\xc3\xb6rg", "X-Long: " + new string('x', 20_000), "X-Longer: " + new string('x', 40_000),
        "Bad Name: x", "X\0: y", ": empty", "NoColon", " X-Folded: y", "X-A: b\r\n folded", "X-Null: a\0b", "X-Cr: a\rb", "Host: second.example", "X-Request-Id:", "Warning: 299 - \"\xe9\"", "Retry-After: 1",
    ];

    private static readonly string[] ContentTypes =
    [
        "application/json; charset=utf-16", "application/json;;;", "application/JSON", "text/plain", "text/plain; charset=\xff", "multipart/form-data; boundary=", "application/x-www-form-urlencoded", "application/problem+json", "\xe9", "a/b/c", ",",
    ];

    private static readonly string[] Hosts = ["", "localhost:99999", "[::1", "evil.example", "127.0.0.1:x", "a\xff", "a b", "localhost, localhost", new('h', 2000)];

    private static readonly string[] ChunkSizes = ["zz", "-1", "ffffffffffffffff", "7fffffff", "0x5", "5;" + new string('e', 5000), "", " 5", "5\n"];

    public static MutatedRequest Make(StreamRandom chance)
    {
        var body = Body(chance);
        var method = chance.Next(20) == 0 ? chance.Pick(Methods) : "POST";
        var target = chance.Next(12) == 0 ? chance.Pick(StrangeTargets) : chance.Pick(Targets);
        var isOfAnotherVersion = chance.Next(200) == 0;
        var head = new StringBuilder($"{method} {target} {(isOfAnotherVersion ? chance.Pick(Versions) : "HTTP/1.1")}\r\n");
        if (chance.Next(40) != 0)
            head.Append("Host: ").Append(chance.Next(40) == 0 ? chance.Pick(Hosts) : "127.0.0.1").Append("\r\n");
        if (chance.Next(15) != 0)
            head.Append("Content-Type: ").Append(chance.Next(12) == 0 ? chance.Pick(ContentTypes) : "application/json").Append("\r\n");
        for (var i = chance.Next(3); i > 0; i--)
            head.Append(chance.Pick(Headers)).Append("\r\n");
        if (chance.Next(300) == 0)
            head.Append(string.Concat(Enumerable.Range(0, 150).Select(i => $"X-Many-{i}: {i}\r\n")));
        var (framed, farewell) = Frame(head, body, chance);
        head.Append(chance.Next(300) == 0 ? "\n" : "\r\n");
        return new([.. Encoding.Latin1.GetBytes(head.ToString()), .. framed], farewell, method == "HEAD", isOfAnotherVersion);
    }

    private static byte[] Body(StreamRandom chance)
    {
        var body = chance.Pick(Seeds);
        if (chance.Next(5) != 0)
            body = JsonMutator.Mutate(body, chance);
        return chance.Next(3) == 0 ? Damaged(body, chance) : body;
    }

    /// <summary>Bytes flipped, taken out, put in, cut off or repeated, without regard to what they mean.</summary>
    private static byte[] Damaged(byte[] body, StreamRandom chance)
    {
        var damaged = body.ToList();
        for (var i = chance.Next(4); i >= 0; i--)
        {
            var at = chance.Next(damaged.Count + 1);
            switch (chance.Next(5))
            {
                case 0 when at < damaged.Count: damaged[at] = (byte)chance.Next(256); break;
                case 1: damaged.RemoveRange(at, Math.Min(chance.Next(20), damaged.Count - at)); break;
                case 2: damaged.InsertRange(at, Enumerable.Range(0, chance.Next(6)).Select(_ => (byte)chance.Next(256))); break;
                case 3: damaged.RemoveRange(at, damaged.Count - at); break;
                default: damaged.InsertRange(at, damaged.Slice(at, Math.Min(chance.Next(40), damaged.Count - at)).ToArray()); break;
            }
        }
        return [.. damaged];
    }

    /// <summary>The body as it goes over the wire, and the headers that say so, rightly or wrongly. What is announced and never comes is followed by an end, or the server would rightly wait.</summary>
    private static (byte[] Framed, Farewell Farewell) Frame(StringBuilder head, byte[] body, StreamRandom chance)
    {
        string Length(long length) => string.Create(CultureInfo.InvariantCulture, $"Content-Length: {length}\r\n");
        Farewell Gone() => chance.Next(3) == 0 ? Farewell.Resets : Farewell.Ends;
        switch (chance.Next(40))
        {
            case 0: head.Append(Length(body.Length + 1 + chance.Next(100))); return (body, Gone());
            case 1: head.Append(Length(Math.Max(0, body.Length - 1 - chance.Next(20)))); return (body, Farewell.Ends);
            case 2: head.Append(Length(body.Length)); return (body[..chance.Next(body.Length + 1)], Gone());
            case 3: head.Append(chance.Pick(["Content-Length: -1\r\n", "Content-Length: x\r\n", "Content-Length: 99999999999999999999\r\n", "Content-Length: 1e3\r\n", "Content-Length: \r\n", Length(long.MaxValue)])); return (body, Farewell.Ends);
            case 4: head.Append(Length(body.Length)).Append(Length(body.Length + chance.Next(2))); return (body, Farewell.Ends);
            case 5: return (body, Farewell.Ends);
            case 6: head.Append(Length(body.Length)).Append("Transfer-Encoding: chunked\r\n"); return (Chunked(body, chance), Farewell.Ends);
            case 7: head.Append(chance.Pick(["Transfer-Encoding: gzip\r\n", "Transfer-Encoding: chunked, gzip\r\n", "Transfer-Encoding: identity\r\n", "Transfer-Encoding: \xff\r\n", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"])); return (Chunked(body, chance), Farewell.Ends);
            case 8 or 9 or 10: head.Append("Transfer-Encoding: chunked\r\n"); return (Chunked(body, chance), Farewell.Waits);
            case 11: head.Append("Transfer-Encoding: chunked\r\n"); return (Chunked(body, chance) is var chunks ? chunks[..chance.Next(chunks.Length)] : body, Gone());
            case 12: head.Append("Transfer-Encoding: chunked\r\n"); return ([.. Encoding.ASCII.GetBytes(chance.Pick(ChunkSizes) + "\r\n"), .. body, .. "\r\n0\r\n\r\n"u8], Farewell.Ends);
            case 13: head.Append(Length(body.Length)); return (body, Farewell.Resets);
            case 14: head.Append(Length(body.Length)); return ([.. body, .. "GARBAGE \0\xff\r\n\r\n"u8], Farewell.Waits);
            default: head.Append(Length(body.Length)); return (body, Farewell.Waits);
        }
    }

    private static byte[] Chunked(byte[] body, StreamRandom chance)
    {
        var chunks = new MemoryStream();
        for (var at = 0; at < body.Length;)
        {
            var size = Math.Min(1 + chance.Next(Math.Max(1, body.Length / 3)), body.Length - at);
            chunks.Write(Encoding.ASCII.GetBytes(size.ToString("x", CultureInfo.InvariantCulture) + "\r\n"));
            chunks.Write(body.AsSpan(at, size));
            chunks.Write("\r\n"u8);
            at += size;
        }
        chunks.Write(chance.Next(10) == 0 ? "0\r\nX-Trailer: \xff\r\n\r\n"u8 : "0\r\n\r\n"u8);
        return chunks.ToArray();
    }
}
