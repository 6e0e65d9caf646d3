using System.Net;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using SpeedupLlm.Experience;
using SpeedupLlm.Gateway.Configuration;
using SpeedupLlm.Gateway.Dashboard;
using SpeedupLlm.Gateway.Tenants;
using SpeedupLlm.Testing;

namespace SpeedupLlm.Gateway.Tests.Dashboard;

/// <summary>The dashboard through its socket: who gets in, what changes, what it gives away.</summary>
public sealed class DashboardTests
{
    private const string Hostile = "<script>alert(1)</script><img src=x onerror=alert(2)> \"'&";
    private const string Question = "How much are 40 and 2?";
    private static readonly string Key = ApiKey.New(), AdminKey = ApiKey.New();

    private static GatewayOptions WithKeys(GatewayOptions options) => options with
    {
        Tenants = [new() { Name = "acme", Keys = [ApiKey.HashOf(Key)] }, new() { Name = "other", Keys = [ApiKey.HashOf("sk-other")] }],
        AdminKey = ApiKey.HashOf(AdminKey),
    };

    private static Task<Gateway> StartAsync(Func<GatewayOptions, GatewayOptions>? change = null, IExperienceStore? store = null, string answer = "42") =>
        Gateway.OverAsync(ScriptedApprentice.Create(1, answer: _ => answer), change ?? WithKeys, store);

    [Theory]
    [InlineData("/")]
    [InlineData("/dashboard/memory")]
    [InlineData("/dashboard/memory/any")]
    [InlineData("/dashboard/live")]
    public async Task Pages_WithoutTheAdminKey_AskForIt(string path)
    {
        await using var gateway = await StartAsync();
        using var visitor = new Visitor(gateway.Address);
        var asked = await visitor.GetAsync(path);
        Assert.Equal(401, asked.Status);
        Assert.Contains("Admin key", asked.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("acme", asked.Text, StringComparison.Ordinal);
        // a tenant's key is none
        Assert.Equal(401, (await visitor.SignInAsync(Key)).Status);
        Assert.Equal(401, (await visitor.GetAsync(path, ("Authorization", "Bearer " + Key))).Status);
    }

    [Fact]
    public async Task SignIn_GivesASessionThatSigningOutEnds()
    {
        await using var gateway = await StartAsync();
        using var visitor = new Visitor(gateway.Address);
        Assert.Equal(200, (await visitor.SignInAsync(AdminKey)).Status);
        var session = visitor.Cookies.GetAllCookies().Single(c => c.Name == "speedup-session");
        var kept = new Cookie(session.Name, session.Value, "/", session.Domain);
        Assert.True(session.HttpOnly);

        Assert.Equal("/", (await visitor.PostAsync("/dashboard/sign-out")).Location);

        Assert.Equal(401, (await visitor.GetAsync("/")).Status);
        visitor.Cookies.Add(kept);
        Assert.Equal(401, (await visitor.GetAsync("/")).Status);
    }

    [Fact]
    public async Task Session_OfOneReplica_HoldsOnTheOthersAndAfterARestart()
    {
        await using var store = new InMemoryStore();
        await using var other = await StartAsync(store: store);
        using var there = new Visitor(other.Address);
        using var here = new Visitor(other.Address);
        await using (var one = await StartAsync(store: store))
        {
            using var visitor = new Visitor(one.Address);
            Assert.Equal(200, (await visitor.SignInAsync(AdminKey)).Status);
            // a host's cookies are those of all its ports
            there.Cookies.Add(visitor.Cookies.GetAllCookies());
            here.Cookies.Add(visitor.Cookies.GetAllCookies());
            there.Token = visitor.Token;
        }
        // a form that one replica gave is taken by the other
        Assert.Equal(303, (await there.PostAsync("/dashboard/mode", ("mode", "canary"))).Status);
        Assert.Equal("canary", (string?)(await other.GetAsync("/v1/speedup/mode", AdminKey)).Json["mode"]);

        await using var again = await StartAsync(store: store);
        using var later = new Visitor(again.Address);
        later.Cookies.Add(here.Cookies.GetAllCookies());
        Assert.Equal(200, (await later.GetAsync("/")).Status);
        Assert.Equal(303, (await later.PostAsync("/dashboard/sign-out")).Status);
        Assert.Equal(401, (await here.GetAsync("/")).Status);
    }

    [Fact]
    public async Task Session_OfAnotherAdminKeyOrStore_OpensNothing()
    {
        await using var store = new InMemoryStore();
        await using var one = await StartAsync(store: store);
        using var visitor = new Visitor(one.Address);
        await visitor.SignInAsync(AdminKey);
        await using var changed = await StartAsync(o => WithKeys(o) with { AdminKey = ApiKey.HashOf("sk-new") }, store);
        await using var elsewhere = await StartAsync();
        foreach (var gateway in new[] { changed, elsewhere })
        {
            using var stranger = new Visitor(gateway.Address);
            stranger.Cookies.Add(visitor.Cookies.GetAllCookies());
            Assert.Equal(401, (await stranger.GetAsync("/")).Status);
        }
    }

    [Fact]
    public async Task SignIn_WhileTheStoreFails_OpensTheDashboardOfThisReplica()
    {
        await using var gateway = await StartAsync(store: new FailingStore());
        using var visitor = new Visitor(gateway.Address);
        var page = await visitor.SignInAsync(AdminKey);
        Assert.Equal(200, page.Status);
        Assert.Contains("the disk is full", page.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Protector_OfTheSameKey_ReadsWhatAnotherWroteAndNothingElse()
    {
        byte[] text = [1, 2, 3];
        var written = ReplicaProtector.Of("sha256:a").CreateProtector("x").Protect(text);
        Assert.Equal(text, ReplicaProtector.Of("sha256:a").CreateProtector("x").Unprotect(written));
        foreach (var stranger in new[] { ReplicaProtector.Of("sha256:a").CreateProtector("y"), ReplicaProtector.Of("sha256:b").CreateProtector("x"), ReplicaProtector.Of(null).CreateProtector("x") })
            Assert.ThrowsAny<CryptographicException>(() => stranger.Unprotect(written));
        for (var i = 0; i < written.Length; i++)
        {
            var changed = written.ToArray();
            changed[i] ^= 1;
            Assert.ThrowsAny<CryptographicException>(() => ReplicaProtector.Of("sha256:a").CreateProtector("x").Unprotect(changed));
        }
        Assert.ThrowsAny<CryptographicException>(() => ReplicaProtector.Of("sha256:a").CreateProtector("x").Unprotect(written[..5]));
    }

    [Fact]
    public async Task Session_NotUsedForADay_IsOver()
    {
        var clock = new FakeTime(TimeProvider.System.GetUtcNow());
        await using var gateway = await Gateway.OverAsync(ScriptedApprentice.Create(1), WithKeys, clock: clock);
        using var visitor = new Visitor(gateway.Address);
        await visitor.SignInAsync(AdminKey);
        for (var hour = 0; hour < 30; hour += 5)
        {
            clock.Advance(TimeSpan.FromHours(5));
            Assert.Equal(200, (await visitor.GetAsync("/")).Status);
        }
        clock.Advance(TimeSpan.FromHours(9));
        Assert.Equal(401, (await visitor.GetAsync("/")).Status);
    }

    [Fact]
    public async Task SignIn_BehindATlsProxy_GivesSecureCookies()
    {
        await using var gateway = await StartAsync();
        using var http = new HttpClient(new SocketsHttpHandler { UseCookies = false }) { BaseAddress = gateway.Address };
        http.DefaultRequestHeaders.Add("X-Forwarded-Proto", "https");
        var cookie = Assert.Single((await http.GetAsync(new Uri("/", UriKind.Relative))).Headers.GetValues("Set-Cookie"));
        foreach (var part in new[] { "secure", "httponly", "samesite=strict" })
            Assert.Contains(part, cookie, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task SignIn_WithTenantsAndNoAdminKey_SaysWhatIsMissing()
    {
        await using var gateway = await StartAsync(o => WithKeys(o) with { AdminKey = null });
        using var visitor = new Visitor(gateway.Address);
        var page = await visitor.GetAsync("/");
        Assert.Equal(401, page.Status);
        Assert.Contains("no admin key", page.Text, StringComparison.Ordinal);
        Assert.Equal(401, (await visitor.SignInAsync(Key)).Status);
    }

    [Fact]
    public async Task Pages_WithoutAnyKeys_OpenForThisMachineOnly()
    {
        await using var gateway = await StartAsync(o => o);
        using var visitor = new Visitor(gateway.Address);
        Assert.Equal(200, (await visitor.GetAsync("/")).Status);
        Assert.Equal(403, (await visitor.GetAsync("/", ("Host", "evil.example"))).Status);
        Assert.Equal(403, (await visitor.GetAsync("/", ("Origin", "https://evil.example"))).Status);
    }

    [Theory]
    [InlineData("/dashboard/mode", "mode", "off")]
    [InlineData("/dashboard/memory/ID/forget", "any", "any")]
    [InlineData("/dashboard/memory/ID/mark", "verdict", "wrong")]
    [InlineData("/dashboard/sign-out", "any", "any")]
    public async Task Change_WithoutOurToken_IsRefused(string path, string field, string value)
    {
        await using var gateway = await StartAsync(o => o with { AdminKey = ApiKey.HashOf(AdminKey) });
        await gateway.CompleteAsync(Gateway.Ask(Question));
        var id = (string)(await gateway.EpisodesAsync(1, AdminKey))[0]["id"]!;
        path = path.Replace("ID", id, StringComparison.Ordinal);
        using var visitor = new Visitor(gateway.Address);
        using var stranger = new Visitor(gateway.Address);
        await visitor.SignInAsync(AdminKey);
        await stranger.GetAsync("/");

        Assert.Equal(400, (await visitor.PostAsync(path, null, [(field, value)])).Status);
        Assert.Equal(400, (await visitor.PostAsync(path, "made-up", [(field, value)])).Status);
        // a stranger's own token opens nothing either
        Assert.Equal(401, (await stranger.PostAsync(path, (field, value))).Status);

        Assert.Equal(200, (await visitor.GetAsync("/")).Status);
        Assert.Equal("on", (string?)(await gateway.GetAsync("/v1/speedup/mode", AdminKey)).Json["mode"]);
        Assert.Equal("selfjudged", (string?)(await gateway.GetAsync("/v1/speedup/memory/" + id, AdminKey)).Json["verdict"]);
    }

    [Fact]
    public async Task Change_FromAnotherPageOfThisMachine_NeedsOurToken()
    {
        await using var gateway = await StartAsync(o => o);
        using var visitor = new Visitor(gateway.Address);
        await visitor.GetAsync("/");
        Assert.Equal(403, (await visitor.PostAsync("/dashboard/mode", null, [("mode", "off")], "https://evil.example")).Status);
        Assert.Equal(400, (await visitor.PostAsync("/dashboard/mode", null, [("mode", "off")], "http://localhost:3000")).Status);
        Assert.Equal(303, (await visitor.PostAsync("/dashboard/mode", ("mode", "off"))).Status);
        Assert.Equal("off", (string?)(await gateway.GetAsync("/v1/speedup/mode")).Json["mode"]);
    }

    [Fact]
    public async Task Changes_AreThoseOfTheAdminApiAndInTheAuditLog()
    {
        var folder = Directory.CreateTempSubdirectory("speedup-dashboard-").FullName;
        try
        {
            await using var gateway = await StartAsync(o => o with { AuditLog = Path.Combine(folder, "audit.jsonl") });
            await gateway.CompleteAsync(Gateway.Ask(Question));
            var id = (string)(await gateway.EpisodesAsync(1))[0]["id"]!;
            using var visitor = new Visitor(gateway.Address);
            await visitor.GetAsync("/dashboard/memory/" + id);
            Assert.Equal($"/dashboard/memory/{id}?done=right", (await visitor.PostAsync($"/dashboard/memory/{id}/mark", ("verdict", "right"))).Location);
            Assert.Equal("verified", (string?)(await gateway.GetAsync("/v1/speedup/memory/" + id)).Json["verdict"]);
            Assert.Equal($"/dashboard/memory/{id}?done=corrected", (await visitor.PostAsync($"/dashboard/memory/{id}/mark", ("verdict", "corrected"), ("answer", "It is 40 + 3.\r\nAnswer 43."))).Location);
            var corrected = (await gateway.GetAsync("/v1/speedup/memory/" + id)).Json;
            Assert.Equal(("verified", "It is 40 + 3.\nAnswer 43."), ((string?)corrected["verdict"], (string?)corrected["answer"]));
            foreach (var answer in new[] { " \r\n", new string('x', 6001) })
                Assert.Equal(400, (await visitor.PostAsync($"/dashboard/memory/{id}/mark", ("verdict", "corrected"), ("answer", answer))).Status);
            Assert.Equal(303, (await visitor.PostAsync($"/dashboard/memory/{id}/mark", ("verdict", "corrected"), ("answer", new string('語', 6000)))).Status);
            await visitor.PostAsync("/dashboard/mode", ("mode", "canary"));
            await visitor.PostAsync($"/dashboard/memory/{id}/forget");

            Assert.Equal(404, (await visitor.GetAsync("/dashboard/memory/" + id)).Status);
            Assert.Equal(404, (await visitor.PostAsync($"/dashboard/memory/{id}/forget")).Status);
            Assert.Equal(400, (await visitor.PostAsync("/dashboard/mode", ("mode", "7"))).Status);
            using var log = new StreamReader(new FileStream(Path.Combine(folder, "audit.jsonl"), FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
            var actions = (await log.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => (string?)JsonNode.Parse(l)!["action"]);
            Assert.Equal(["mark-right", "mark-corrected", "mark-corrected", "mode", "forget"], actions);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task HostileText_IsShownAsText()
    {
        await using var gateway = await StartAsync(o => o, answer: Hostile);
        await gateway.CompleteAsync(Gateway.Ask(Hostile + " How much?"));
        var id = (string)(await gateway.EpisodesAsync(1))[0]["id"]!;
        using var visitor = new Visitor(gateway.Address);
        foreach (var path in new[] { "/", "/dashboard/memory", "/dashboard/memory/" + id, "/dashboard/memory?q=" + Uri.EscapeDataString(Hostile), "/?tenant=" + Uri.EscapeDataString(Hostile), "/dashboard/memory/" + Uri.EscapeDataString(Hostile) })
        {
            var page = await visitor.GetAsync(path);
            Assert.DoesNotContain("<script>alert", page.Text, StringComparison.Ordinal);
            Assert.DoesNotContain("<img src=x", page.Text, StringComparison.Ordinal);
            Assert.Contains("default-src 'none'", page.Headers, StringComparison.Ordinal);
            Assert.DoesNotContain("unsafe-inline", page.Headers, StringComparison.Ordinal);
        }
        Assert.Contains(WebUtility.HtmlEncode("<script>alert(1)</script>"), (await visitor.GetAsync("/dashboard/memory/" + id)).Text, StringComparison.Ordinal);
        var live = await visitor.WatchAsync("/dashboard/live", seen => seen.Contains("\"requests\"", StringComparison.Ordinal));
        Assert.DoesNotContain("alert", live, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Live_RequestsAndModes_ComeAsTheyHappen()
    {
        await using var gateway = await StartAsync(o => o);
        using var visitor = new Visitor(gateway.Address);
        var watching = visitor.WatchAsync("/dashboard/live", seen => seen.Contains("searched", StringComparison.Ordinal) && seen.Contains("mode-off\\\" name=\\\"mode\\\" value=\\\"off\\\" aria-pressed=\\\"true", StringComparison.Ordinal));
        await gateway.CompleteAsync(Gateway.Ask(Question));
        using var other = new Visitor(gateway.Address);
        await other.GetAsync("/");
        await other.PostAsync("/dashboard/mode", ("mode", "off"));
        Assert.DoesNotContain(Question, await watching.WaitAsync(TimeSpan.FromSeconds(30)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Live_WhenTheServerStops_Ends()
    {
        await using var gateway = await StartAsync(o => o);
        using var visitor = new Visitor(gateway.Address);
        var watching = visitor.WatchAsync("/dashboard/live", _ => false);
        await Task.Delay(200);
        await gateway.StopAsync().WaitAsync(TimeSpan.FromSeconds(20));
        await watching.WaitAsync(TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task Erasure_ShowsAtOnce()
    {
        await using var gateway = await StartAsync(o => o);
        var request = Gateway.Ask(Question);
        request["user"] = "ann";
        await gateway.CompleteAsync(request);
        await gateway.EpisodesAsync(1);
        using var visitor = new Visitor(gateway.Address);
        Assert.Contains(Question, (await visitor.GetAsync("/dashboard/memory?user=ann")).Text, StringComparison.Ordinal);

        await gateway.Http.DeleteAsync(new Uri("/v1/speedup/user?user=ann", UriKind.Relative));

        foreach (var path in new[] { "/dashboard/memory", "/dashboard/memory?user=ann", "/" })
            Assert.DoesNotContain(Question, (await visitor.GetAsync(path)).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tenants_SeeEachTheirOwn()
    {
        await using var gateway = await StartAsync();
        await gateway.CompleteAsync(Gateway.Ask(Question), Key);
        await gateway.EpisodesAsync(1, AdminKey, "?tenant=acme");
        using var visitor = new Visitor(gateway.Address);
        var acme = await visitor.SignInAsync(AdminKey);
        Assert.Contains("searched", acme.Text[acme.Text.IndexOf("requests-head", StringComparison.Ordinal)..], StringComparison.Ordinal);
        Assert.Contains("No requests since", (await visitor.GetAsync("/?tenant=other")).Text, StringComparison.Ordinal);
        Assert.Contains(Question, (await visitor.GetAsync("/dashboard/memory?tenant=acme")).Text, StringComparison.Ordinal);
        Assert.DoesNotContain(Question, (await visitor.GetAsync("/dashboard/memory?tenant=other")).Text, StringComparison.Ordinal);
        Assert.Equal(404, (await visitor.GetAsync("/?tenant=nobody")).Status);
    }

    [Fact]
    public async Task Memory_OfManyEpisodes_ComesInPages()
    {
        await using var gateway = await StartAsync(o => o);
        for (var i = 0; i < 30; i++)
            await gateway.CompleteAsync(Gateway.Ask($"What do {i + 10} tea pots cost?"));
        await gateway.EpisodesAsync(30, null, "?limit=100");
        using var visitor = new Visitor(gateway.Address);

        var (first, second) = ((await visitor.GetAsync("/dashboard/memory?q=tea")).Text, (await visitor.GetAsync("/dashboard/memory?q=tea&page=1")).Text);

        Assert.Equal((25, 5), (Rows(first), Rows(second)));
        Assert.Contains("href=\"/dashboard/memory?q=tea&amp;page=1\"", first, StringComparison.Ordinal);
        Assert.DoesNotContain(">Older<", second, StringComparison.Ordinal);

        static int Rows(string page) => page.Split("tea pots cost?</a>").Length - 1;
    }

    [Fact]
    public async Task Overview_WhenTheStoreFails_SaysSo()
    {
        await using var gateway = await StartAsync(o => o, new FailingStore());
        Assert.Equal(200, (await gateway.CompleteAsync(Gateway.Ask(Question))).Status);
        using var visitor = new Visitor(gateway.Address);
        var page = await visitor.GetAsync("/");
        Assert.Equal(200, page.Status);
        Assert.Contains("Memory is degraded", page.Text, StringComparison.Ordinal);
        var memory = await visitor.GetAsync("/dashboard/memory");
        Assert.Equal(503, memory.Status);
        Assert.Contains("the disk is full", memory.Text, StringComparison.Ordinal);
    }
}
