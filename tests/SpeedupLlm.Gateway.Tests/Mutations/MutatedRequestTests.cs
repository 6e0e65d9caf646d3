using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using SpeedupLlm.Compute;
using SpeedupLlm.Testing.Endpoints;

namespace SpeedupLlm.Gateway.Tests.Mutations;

/// <summary>A test that needs the process for itself: meters are one a process.</summary>
[CollectionDefinition("alone", DisableParallelization = true)]
public sealed class Alone;

/// <summary>Requests that are wrong in their JSON, bytes, headers, target or framing: none crashes the gateway, hangs, or gets a 5xx that is ours. <c>SPEEDUP_MUTATIONS</c> sets how many.</summary>
[Collection("alone")]
public sealed class MutatedRequestTests
{
    // longer than the server's own patience with a client that stops in the middle
    private static readonly TimeSpan Hang = TimeSpan.FromSeconds(90);

    [Fact]
    public async Task Mutations_OfEveryRequest_NeverFailTheGateway()
    {
        var count = int.Parse(Environment.GetEnvironmentVariable("SPEEDUP_MUTATIONS") ?? "3000", CultureInfo.InvariantCulture);
        await using var upstream = await FakeEndpoint.StartAsync((_, http) => http.AnswerAsync(200, FakeAnswers.Completion("SCORE: 9\nAnswer: 42")));
        await using var gateway = await Gateway.OverAsync(upstream);
        var statuses = new ConcurrentDictionary<int, int>();
        var failures = new ConcurrentQueue<string>();

        await Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, _) =>
        {
            var request = RequestMutator.Make(new StreamRandom(StreamKey.Root(20).Child(i)));
            using var patience = new CancellationTokenSource(Hang);
            try
            {
                var answer = await RawExchange.SendAsync(gateway.Address, request, patience.Token);
                statuses.AddOrUpdate(answer.Status ?? 0, 1, static (_, n) => n + 1);
                if (answer.Status >= 500 && !(answer.Status == 505 && request.IsOfAnotherVersion))
                    failures.Enqueue($"request {i}: {Beginning(request)}\n{answer.Text}");
            }
            catch (OperationCanceledException)
            {
                failures.Enqueue($"request {i} hangs: {Beginning(request)}");
            }
        });

        Assert.True(failures.IsEmpty, $"{failures.Count} of {count} failed:\n" + string.Join('\n', failures.Order(StringComparer.Ordinal).Take(20)));
        // the mutations are worth something: many are understood, and many are not
        Assert.True(statuses.GetValueOrDefault(200) > count / 10 && statuses.GetValueOrDefault(400) > count / 10, string.Join(", ", statuses));
        // nor did one fail where its sender could not see it any more
        var metrics = await gateway.GetAsync("/metrics");
        Assert.DoesNotContain("http_response_status_code=\"5", metrics.Text, StringComparison.Ordinal);
        Assert.Contains("speedup_requests_running 0\n", metrics.Text, StringComparison.Ordinal);
        Assert.Equal("ok", (string?)(await gateway.GetAsync("/healthz")).Json["status"]);
        Assert.Equal(200, (await gateway.CompleteAsync(Gateway.Ask("How much are 40 and 2?"))).Status);
    }

    private static string Beginning(MutatedRequest request) => Encoding.Latin1.GetString(request.Bytes.AsSpan(0, Math.Min(request.Bytes.Length, 2000)));
}
