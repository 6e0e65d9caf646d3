using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http;
using SpeedupLlm.Experience;
using SpeedupLlm.Gateway.Tenants;
using SpeedupLlm.Testing.Endpoints;
using Xunit.Abstractions;

namespace SpeedupLlm.PostgreSql.Tests;

/// <summary>Two gateways on one database, as real processes.</summary>
public sealed class ServingReplicaTests(ITestOutputHelper output) : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("speedup-replicas-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Replica_KilledUnderLoad_LosesNothingAcknowledgedAndNoRequestButThoseItRan()
    {
        const int clients = 12, each = 15;
        await using var upstream = await UpstreamAsync(TimeSpan.FromMilliseconds(20));
        var address = await (await PostgresServer.SharedAsync()).DatabaseAsync();
        var configuration = await ConfigurationAsync(upstream);
        await using var one = await ServingReplica.StartAsync(address, configuration);
        await using var other = await ServingReplica.StartAsync(address, configuration);
        var acknowledged = new ConcurrentBag<string>();
        var broken = new ConcurrentQueue<string>();
        var (answered, unacknowledged, lost, refused) = (0, 0, 0, 0);

        var running = Enumerable.Range(0, clients).Select(client => Task.Run(async () =>
        {
            for (var i = 0; i < each; i++)
            {
                var question = string.Create(CultureInfo.InvariantCulture, $"What do {client + 2} apples, {i + 3} pears and {client * each + i} plums cost?");
                // half of the clients begin at either replica, and every one goes to the other when its own is gone
                var mine = client % 2 == 0 ? one : other;
                string? episode;
                try
                {
                    episode = (string?)(await mine.AskAsync(question))["speedup"]!["episode"];
                }
                catch (HttpRequestException e) when (mine == one && e.StatusCode is null)
                {
                    Interlocked.Increment(ref e.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionRefused } ? ref refused : ref lost);
                    mine = other;
                    episode = (string?)(await other.AskAsync(question))["speedup"]!["episode"];
                }
                Interlocked.Increment(ref answered);
                try
                {
                    await mine.AcknowledgeAsync(episode!);
                    acknowledged.Add(episode!);
                }
                catch (HttpRequestException e) when (mine == one && e.StatusCode is null)
                {
                    // nobody said that it was kept
                    Interlocked.Increment(ref unacknowledged);
                }
                catch (HttpRequestException e)
                {
                    broken.Enqueue($"{mine.Http.BaseAddress}: {e.Message}");
                }
            }
        })).ToArray();
        while (acknowledged.Count < clients * each / 3)
            await Task.Delay(5);
        one.Kill();
        await Task.WhenAll(running);

        Assert.Equal(clients * each, answered);
        Assert.Empty(broken);
        // each client waits for one answer at a time: so many ran on the killed replica at most
        Assert.InRange(lost, 0, clients / 2);
        Assert.True(lost + refused > 0, "The replica was killed after the load.");
        await using (var store = await PostgreSqlStore.OpenAsync(address, null, CancellationToken.None))
        {
            foreach (var id in acknowledged)
                Assert.Equal(Verdict.Verified, (await store.GetEpisodeAsync("local", id, CancellationToken.None))?.Verdict);
        }
        Assert.Equal(HttpStatusCode.OK, (await other.Http.GetAsync("/readyz")).StatusCode);
        Assert.Contains("\"ok\"", await other.Http.GetStringAsync("/healthz"), StringComparison.Ordinal);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{answered} answered, {acknowledged.Count} episodes acknowledged and kept, {unacknowledged} not acknowledged; of the killed replica {lost} requests broke off and {refused} were refused, all answered by the other"));
    }

    [Fact]
    public async Task Episode_LearntOnOneReplica_AnswersOnTheOther()
    {
        const int rounds = 10;
        await using var upstream = await UpstreamAsync(TimeSpan.Zero);
        var address = await (await PostgresServer.SharedAsync()).DatabaseAsync();
        var configuration = await ConfigurationAsync(upstream);
        await using var one = await ServingReplica.StartAsync(address, configuration);
        await using var other = await ServingReplica.StartAsync(address, configuration);
        string[] firms = ["Orpi", "Gumoke", "Talu", "Wexan", "Bilor", "Sandu", "Kepri", "Moxal", "Dunvi", "Farro"];
        await other.AskAsync("How are you?"); // so that it has begun to listen
        var took = new List<double>();
        for (var i = 0; i < rounds; i++)
        {
            var question = string.Create(CultureInfo.InvariantCulture, $"{firms[i]} North posts parcels. {i + 2} km and 3 kg cost 22. What do 5 km and {i + 4} kg cost?");
            var learnt = (string)(await one.AskAsync(question))["speedup"]!["episode"]!;
            var answered = Stopwatch.GetTimestamp();
            await one.AcknowledgeAsync(learnt);
            var recalled = (await other.AskAsync(question))["speedup"]!;
            took.Add(Stopwatch.GetElapsedTime(answered).TotalMilliseconds);
            Assert.Equal(("recalled", learnt), ((string?)recalled["stop"], (string?)recalled["episode"]));

            // and as a case for another question like it, which is found by its vector
            await Task.Delay(TimeSpan.FromSeconds(1));
            var alike = (await other.AskAsync(question.Replace("5 km", "8 km", StringComparison.Ordinal)))["speedup"]!;
            Assert.Contains(learnt, alike["memory"]!["sources"]!.AsArray().Select(s => (string)s!));
        }
        took.Sort();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"from the answer of one replica to the answer from memory of the other: median {took[rounds / 2]:0} ms, longest {took[^1]:0} ms of {rounds}"));
        Assert.InRange(took[rounds / 2], 0, 10_000);
    }

    [Fact]
    public async Task Limits_OfATenant_HoldOverBothReplicas()
    {
        const int limit = 60;
        await using var upstream = await UpstreamAsync(TimeSpan.Zero);
        var address = await (await PostgresServer.SharedAsync()).DatabaseAsync();
        var (busy, poor) = (ApiKey.New(), ApiKey.New());
        var configuration = await ConfigurationAsync(upstream, string.Create(CultureInfo.InvariantCulture,
            $"tenants:\n  - name: busy\n    keys: [\"{ApiKey.HashOf(busy)}\"]\n    requestsPerMinute: {limit}\n  - name: poor\n    keys: [\"{ApiKey.HashOf(poor)}\"]\n    costPerDay: 1\n"));
        await using var one = await ServingReplica.StartAsync(address, configuration);
        await using var other = await ServingReplica.StartAsync(address, configuration);

        var began = TimeProvider.System.GetUtcNow();
        one.Http.DefaultRequestHeaders.Authorization = other.Http.DefaultRequestHeaders.Authorization = new("Bearer", busy);
        var replies = await Task.WhenAll(Enumerable.Range(0, 2 * limit).Select(i => (i % 2 == 0 ? one : other).Http.GetAsync("/v1/models")));
        var minutes = TimeProvider.System.GetUtcNow().Ticks / TimeSpan.TicksPerMinute - began.Ticks / TimeSpan.TicksPerMinute + 1;
        Assert.InRange(replies.Count(r => r.StatusCode == HttpStatusCode.OK), limit, limit * minutes);
        Assert.All(replies, r => Assert.Contains(r.StatusCode, new[] { HttpStatusCode.OK, HttpStatusCode.TooManyRequests }));

        one.Http.DefaultRequestHeaders.Authorization = other.Http.DefaultRequestHeaders.Authorization = new("Bearer", poor);
        await one.AskAsync("What do 2 apples and 3 pears cost?");
        await Task.Delay(TimeSpan.FromSeconds(3));
        var refused = await Assert.ThrowsAsync<HttpRequestException>(() => other.AskAsync("What do 4 plums and 5 nuts cost?"));
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
    }

    private static Task<FakeEndpoint> UpstreamAsync(TimeSpan takes) => FakeEndpoint.StartAsync(async (request, http) =>
    {
        await Task.Delay(takes, http.RequestAborted);
        await http.AnswerAsync(200, FakeAnswers.Completion(request.Text.Contains("SCORE: n", StringComparison.Ordinal) ? "SCORE: 9" : "It is 42.\nAnswer: 42"));
    });

    private async Task<string> ConfigurationAsync(FakeEndpoint upstream, string more = "")
    {
        var file = Path.Combine(_folder, "gateway.yaml");
        await File.WriteAllTextAsync(file, $"mode: on\ncontrolShare: 0\nupstreams:\n  - name: fake\n    url: {upstream.Address}\n{more}");
        return file;
    }
}
