using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using SpeedupLlm.Compute;
using SpeedupLlm.Testing.Endpoints;

namespace SpeedupLlm.Gateway.Tests;

/// <summary>Requests damaged at random: none crashes, hangs, or gets a 5xx that is ours. <c>SPEEDUP_MUTATIONS</c> sets how many.</summary>
public sealed class MutatedRequestTests
{
    private static readonly string[] Seeds =
    [
        """{"model":"m","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"How much are 40 and 2?"}],"temperature":0.5,"max_tokens":100,"stop":["x"],"stream":false}""",
        """{"model":"speedup/best-of-n/auto/m","messages":[{"role":"user","content":[{"type":"text","text":"né\ud83d\ude80"}]}],"stream":true,"stream_options":{"include_usage":true},"user":"u"}""",
        """{"speedup":{"scaling":"self-refine","memory":"none","tau":0.5,"samples":2},"model":"m","messages":[{"role":"user","content":"x"}],"response_format":{"type":"json_schema","json_schema":{"name":"a","schema":{}}},"n":1,"seed":3}""",
        """{"model":"m","messages":[{"role":"user","content":null},{"role":"assistant","tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","content":"y"}],"tools":[]}""",
    ];

    private static readonly string[] Paths = ["/v1/chat/completions", "/v1/chat/completions", "/v1/chat/completions", "/v1/embeddings", "/v1/responses", "/v1/speedup/feedback"];

    private static readonly byte[][] Scraps = [.. new[]
    {
        "null", "{}", "[]", "\"", "1e999", "-1", "true", "\\ud800", "\\u0000", ",", "}", "[[[[", "{\"model\":", "9007199254740993", "0.1", "\"model\":\"m\",", "\"messages\":7,", "speedup/", "\ufeff", "\ud83d\ude80",
    }.Select(Encoding.UTF8.GetBytes)];

    [Fact]
    public async Task Mutations_OfEveryRequest_NeverFailTheGateway()
    {
        var count = int.Parse(Environment.GetEnvironmentVariable("SPEEDUP_MUTATIONS") ?? "2000", CultureInfo.InvariantCulture);
        await using var upstream = await FakeEndpoint.StartAsync((_, http) => http.AnswerAsync(200, FakeAnswers.Completion("SCORE: 9\nAnswer: 42")));
        await using var gateway = await Gateway.OverAsync(upstream);
        var failures = new System.Collections.Concurrent.ConcurrentQueue<string>();

        await Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, cancellationToken) =>
        {
            var chance = new StreamRandom(StreamKey.Root(20).Child(i));
            var body = Mutate(Encoding.UTF8.GetBytes(Seeds[chance.Next(Seeds.Length)]), chance);
            using var request = new HttpRequestMessage(HttpMethod.Post, Paths[chance.Next(Paths.Length)]) { Content = new ByteArrayContent(body) };
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            if (chance.Next(10) == 0)
                request.Headers.TryAddWithoutValidation("X-Speedup-Samples", Encoding.Latin1.GetString(Scraps[chance.Next(Scraps.Length)].Where(b => b is > 31 and < 127).ToArray()));
            using var response = await gateway.Http.SendAsync(request, cancellationToken);
            var text = await response.Content.ReadAsStringAsync(cancellationToken);
            if ((int)response.StatusCode >= 500)
                failures.Enqueue($"{(int)response.StatusCode} to {request.RequestUri}: {Convert.ToBase64String(body)}: {text}");
        });

        Assert.True(failures.IsEmpty, string.Join('\n', failures.Take(5)));
        Assert.Equal(200, (await gateway.GetAsync("/healthz")).Status);
    }

    private static byte[] Mutate(byte[] body, StreamRandom chance)
    {
        var mutated = body.ToList();
        for (var i = chance.Next(4); i >= 0; i--)
        {
            var at = chance.Next(mutated.Count + 1);
            switch (chance.Next(5))
            {
                case 0 when at < mutated.Count: mutated[at] = (byte)chance.Next(256); break;
                case 1: mutated.RemoveRange(at, Math.Min(chance.Next(20), mutated.Count - at)); break;
                case 2: mutated.InsertRange(at, Scraps[chance.Next(Scraps.Length)]); break;
                case 3: mutated.RemoveRange(at, mutated.Count - at); break;
                default: mutated.InsertRange(at, mutated.Slice(at, Math.Min(chance.Next(40), mutated.Count - at)).ToArray()); break;
            }
        }
        return [.. mutated];
    }
}
