using SpeedupLlm.Experience;
using SpeedupLlm.Testing;

namespace SpeedupLlm.Gateway.Tests;

/// <summary>One call switches all replicas of a store.</summary>
public sealed class ModeSwitchTests
{
    private static readonly FakeTime Clock = new();

    private static Task<Gateway> StartAsync(IExperienceStore store, ExperienceMode mode = ExperienceMode.On) =>
        Gateway.OverAsync(ScriptedApprentice.Create(1), o => o with { Mode = mode }, store, Clock);

    private static async Task SwitchAsync(Gateway gateway, string mode) =>
        Assert.Equal(200, (await gateway.SendAsync(HttpMethod.Put, "/v1/speedup/mode", $$"""{"mode":"{{mode}}"}""")).Status);

    private static async Task<string?> ModeAsync(Gateway gateway) => (string?)(await gateway.GetAsync("/readyz")).Json["mode"];

    /// <summary>Seconds pass until a replica says that it is in a mode.</summary>
    private static async Task AssertBecomesAsync(string mode, Gateway gateway)
    {
        for (var i = 0; i < 600 && await ModeAsync(gateway) != mode; i++)
        {
            Clock.Advance(GatewaySwitch.Every);
            await Task.Delay(10);
        }
        Assert.Equal(mode, await ModeAsync(gateway));
    }

    [Fact]
    public async Task Switch_OfOneReplica_ReachesAll()
    {
        await using var store = new InMemoryStore();
        await using var one = await StartAsync(store);
        await using var other = await StartAsync(store, ExperienceMode.Canary);
        foreach (var mode in (string[])["off", "observe", "on"])
        {
            await SwitchAsync(one, mode);
            Assert.Equal(mode, await ModeAsync(one));
            await AssertBecomesAsync(mode, other);
        }
        await SwitchAsync(other, "off");
        await AssertBecomesAsync("off", one);
    }

    [Fact]
    public async Task Start_AfterASwitch_HoldsItUnlessTheConfigurationChanged()
    {
        await using var store = new InMemoryStore();
        await using (var gateway = await StartAsync(store))
            await SwitchAsync(gateway, "off");
        await using (var again = await StartAsync(store))
            Assert.Equal("off", await ModeAsync(again));
        await using (var configured = await StartAsync(store, ExperienceMode.Canary))
            Assert.Equal("canary", await ModeAsync(configured));
    }

    [Fact]
    public async Task Switch_WhileTheStoreFails_HoldsHereAndReachesTheOthersLater()
    {
        await using var kept = new InMemoryStore();
        var store = new FailingStore(kept);
        await using var one = await StartAsync(store);
        await using var other = await StartAsync(kept);
        store.IsDown = true;
        await SwitchAsync(one, "off");
        Assert.Equal(("off", "on"), (await ModeAsync(one), await ModeAsync(other)));
        store.IsDown = false;
        await AssertBecomesAsync("off", other);
        Assert.Equal("off", await ModeAsync(one));
    }
}
