using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using SpeedupLlm.Experience;
using SpeedupLlm.Gateway.Configuration;
using SpeedupLlm.Testing;

namespace SpeedupLlm.Gateway.Tests;

public sealed class AdministrationTests : IDisposable
{
    private const string Question = "How much are 40 and 2?";
    private readonly string _folder = Directory.CreateTempSubdirectory("speedup-gateway-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static JsonObject Of(string user, string question = Question)
    {
        var request = Gateway.Ask(question);
        request["user"] = user;
        return request;
    }

    [Fact]
    public async Task Memory_IsListedSearchedShownAndForgotten()
    {
        await using var gateway = await Gateway.OverAsync(ScriptedApprentice.Create(1));
        await gateway.CompleteAsync(Gateway.Ask(Question));
        await gateway.CompleteAsync(Gateway.Ask("What do seven tea pots cost?"));
        Assert.Equal(2, (await gateway.EpisodesAsync(2)).Count);

        var found = Assert.Single(await gateway.EpisodesAsync(1, null, "?q=tea%20POTS"));
        var id = (string)found["id"]!;
        var shown = await gateway.GetAsync("/v1/speedup/memory/" + id);
        var forgotten = await gateway.SendAsync(HttpMethod.Delete, "/v1/speedup/memory/" + id);

        Assert.Equal("What do seven tea pots cost?", (string?)shown.Json["question"]);
        Assert.True((int)forgotten.Json["forgotten"]! >= 1);
        (await gateway.GetAsync("/v1/speedup/memory/" + id)).AssertError(404);
        Assert.Single((await gateway.GetAsync("/v1/speedup/memory")).Json["episodes"]!.AsArray());
    }

    [Fact]
    public async Task User_IsExportedAndErased_AndTheOthersStay()
    {
        var log = Path.Combine(_folder, "audit.jsonl");
        await using var gateway = await Gateway.OverAsync(ScriptedApprentice.Create(1), o => o with { AuditLog = log });
        await gateway.CompleteAsync(Of("ann/1"));
        await gateway.CompleteAsync(Of("bob"));
        await gateway.EpisodesAsync(2);

        var export = await gateway.GetAsync("/v1/speedup/user?user=ann%2F1");
        var erased = await gateway.SendAsync(HttpMethod.Delete, "/v1/speedup/user?user=ann%2F1");

        var line = JsonNode.Parse(Assert.Single(export.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries)))!;
        Assert.Equal(("ann/1", Question), ((string?)line["user"], (string?)line["question"]));
        Assert.True((int)erased.Json["forgotten"]! >= 1);
        Assert.Equal("bob", (string?)Assert.Single((await gateway.GetAsync("/v1/speedup/memory")).Json["episodes"]!.AsArray())!["user"]);
        using var reader = new StreamReader(new FileStream(log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        var audit = (await reader.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonNode.Parse(l)!).ToList();
        Assert.Equal(["export", "erase"], audit.Select(a => (string?)a["action"]));
        Assert.All(audit, a => Assert.Equal("ann/1", (string?)a["target"]));
        Assert.DoesNotContain(Question, string.Concat(audit), StringComparison.Ordinal);
    }

    [Fact]
    public async Task OneCall_SwitchesEverythingOff()
    {
        await using var upstream = await FakeModel.StartAsync();
        await using var gateway = await Gateway.OverAsync(upstream);
        await gateway.CompleteAsync(Gateway.Ask(Question, "speedup/best-of-n/none/m"));

        var off = await gateway.SendAsync(HttpMethod.Put, "/v1/speedup/mode", """{"mode":"off"}""");
        var calls = upstream.Requests.Count;
        var plain = await gateway.CompleteAsync(Gateway.Ask(Question, "speedup/best-of-n/none/m"));

        Assert.Equal("off", (string?)off.Json["mode"]);
        Assert.Equal(calls + 1, upstream.Requests.Count);
        Assert.False(plain.Json.ContainsKey("speedup"));
        (await gateway.SendAsync(HttpMethod.Put, "/v1/speedup/mode", """{"mode":"7"}""")).AssertError(400);
    }

    [Fact]
    public async Task Observe_AnswersUnchangedAndMeasuresBeside()
    {
        await using var upstream = await FakeModel.StartAsync();
        await using var gateway = await Gateway.OverAsync(upstream, o => o with { Mode = ExperienceMode.Observe, ObserveShare = 1000 });

        var reply = await gateway.CompleteAsync(Gateway.Ask(Question));
        JsonNode? tenant = null;
        for (var i = 0; i < 600 && (long?)tenant?["shadowed"]?["questions"] is not 1; i++)
        {
            await Task.Delay(50);
            tenant = (await gateway.GetAsync("/v1/speedup/savings")).Json["tenants"]!.AsArray().FirstOrDefault();
        }

        Assert.Equal(Testing.Endpoints.FakeAnswers.Completion(FakeModel.Text), reply.Text);
        Assert.Equal(1, (long)tenant!["plain"]!["questions"]!);
        Assert.Equal(1, (long)tenant["shadowed"]!["questions"]!);
        Assert.Null(tenant["saved"]);
    }

    [Fact]
    public async Task Savings_AfterARestartAndOfAnotherReplica_AreThoseOfTheStore()
    {
        static GatewayOptions ByLot(GatewayOptions options) => options with { Mode = ExperienceMode.Canary, CanaryShare = 0.5 };
        var clock = new FakeTime(new(2026, 6, 1, 8, 10, 0, TimeSpan.Zero));
        await using var store = new InMemoryStore();
        await using var upstream = await FakeModel.StartAsync();
        JsonNode said;
        await using (var before = await Gateway.OverAsync(upstream, ByLot, store, clock))
        {
            const int questions = 80;
            for (var i = 0; i < questions; i++)
                await before.CompleteAsync(Gateway.Ask($"What do {i} apples and {i + 7} pears cost?"));
            said = await SavingsAsync(before, t => (long)t["plain"]!["questions"]! + (long)t["experienced"]!["questions"]! == questions);
        }
        Assert.NotNull(said["saved"]);
        await using var one = await Gateway.OverAsync(upstream, ByLot, store, clock);
        Assert.Equal(said.ToJsonString(), (await SavingsAsync(one, _ => true)).ToJsonString());

        clock.Advance(TimeSpan.FromHours(3));
        var passedBy = Gateway.Ask(Question);
        passedBy["n"] = 3;
        await using (var other = await Gateway.OverAsync(upstream, ByLot, store, clock))
            await other.CompleteAsync(passedBy);

        clock.Advance(TimeSpan.FromMinutes(1));
        var both = await SavingsAsync(one, _ => true);
        Assert.Equal(1, both["bypassed"]!.AsObject().Sum(reason => (long)reason.Value!));
        Assert.Equal(said["saved"]!.ToJsonString(), both["saved"]!.ToJsonString());
        var late = await SavingsAsync(one, _ => true, "?tenant=local&since=2026-06-01T11:05:00Z");
        Assert.Equal((0, 1), ((long)late["plain"]!["questions"]!, late["bypassed"]!.AsObject().Count));
        Assert.Null(late["saved"]);
        (await one.GetAsync("/v1/speedup/savings?since=monday")).AssertError(400);
        (await one.GetAsync("/v1/speedup/savings?tenant=nobody")).AssertError(404);
    }

    [Fact]
    public async Task Metrics_OfTreatedRequests_AreThereForPrometheus()
    {
        // a model of this test's own: the meter is one a process
        await using var gateway = await Gateway.StartAsync(new(), new("metered", ScriptedApprentice.Create(1)), null, null, null);
        await gateway.CompleteAsync(Gateway.Ask(Question));

        var metrics = await gateway.GetAsync("/metrics");

        Assert.Equal("text/plain", metrics.ContentType);
        Assert.Contains("# TYPE gen_ai_server_request_duration_seconds histogram", metrics.Text, StringComparison.Ordinal);
        var counted = Assert.Single(metrics.Text.Split('\n'), l => l.StartsWith("gen_ai_server_request_duration_seconds_count{", StringComparison.Ordinal) && l.Contains("\"metered\"", StringComparison.Ordinal));
        Assert.EndsWith("} 1", counted, StringComparison.Ordinal);
        foreach (var label in new[] { "gen_ai_operation_name=\"chat\"", "speedup_way=\"treated\"", "http_response_status_code=\"200\"" })
            Assert.Contains(label, counted, StringComparison.Ordinal);
        Assert.Contains("speedup_full_cost_total{purpose=\"solve\"}", metrics.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(Question, metrics.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Otlp_WhenConfigured_GetsTracesAndMetricsWithoutPrompts()
    {
        await using var collector = await Testing.Endpoints.FakeEndpoint.StartAsync(200, "", "application/x-protobuf");
        await using (var gateway = await Gateway.OverAsync(ScriptedApprentice.Create(1), o => o with { Otlp = new(collector.Address, "/") }))
            await gateway.CompleteAsync(Gateway.Ask(Question));

        Assert.Equal(["/v1/metrics", "/v1/traces"], collector.Requests.Select(r => r.Path).Distinct().Order(StringComparer.Ordinal));
        Assert.Contains(collector.Requests, r => r.Text.Contains("gen_ai.usage.output_tokens", StringComparison.Ordinal));
        Assert.DoesNotContain(collector.Requests, r => r.Text.Contains(Question, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Retention_WhenTheServerStarts_ForgetsWhatIsTooOld()
    {
        await using var store = new InMemoryStore();
        await using (var gateway = await Gateway.OverAsync(ScriptedApprentice.Create(1), store: store))
        {
            await gateway.CompleteAsync(Gateway.Ask(Question));
            await gateway.EpisodesAsync(1);
        }
        var old = (await FirstAsync(store))!;
        await store.AppendAsync(old with { Id = "old", At = old.At.AddDays(-40) }, CancellationToken.None);

        await using var again = await Gateway.OverAsync(ScriptedApprentice.Create(1), o => o with { RetentionDays = 30 }, store);
        for (var i = 0; i < 600 && (await again.EpisodesAsync(0)).Count > 1; i++)
            await Task.Delay(50);

        Assert.Equal(old.Id, (string?)Assert.Single(await again.EpisodesAsync(0))["id"]);
    }

    private static async Task<Episode?> FirstAsync(IExperienceStore store)
    {
        foreach (var scope in await store.ScopesAsync("local", CancellationToken.None))
        {
            await foreach (var episode in store.ListAsync(new(scope, "", UsableOnly: false), CancellationToken.None))
                return episode;
        }
        return null;
    }

    /// <summary>Asks what is saved until it is as wanted: learning is booked after the answer.</summary>
    private static async Task<JsonNode> SavingsAsync(Gateway gateway, Func<JsonNode, bool> wanted, string query = "")
    {
        for (var i = 0; ; i++)
        {
            var tenant = Assert.Single((await gateway.GetAsync("/v1/speedup/savings" + query)).Json["tenants"]!.AsArray())!;
            if (wanted(tenant))
                return tenant;
            Assert.True(i < 600, tenant.ToJsonString());
            await Task.Delay(50);
        }
    }
}
