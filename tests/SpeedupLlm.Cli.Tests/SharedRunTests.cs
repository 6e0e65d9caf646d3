using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using SpeedupLlm.PostgreSql.Tests;

namespace SpeedupLlm.Cli.Tests;

/// <summary><c>bench --workers</c>: real processes share a run in a real database, and are killed.</summary>
public sealed class SharedRunTests(SharedRunTests.Alone alone) : IClassFixture<SharedRunTests.Alone>, IDisposable
{
    private const int Lifelines = 5 * (4 * 2 * 2 + 4);

    private readonly Folder _folder = new();

    /// <summary>The same run of one process alone.</summary>
    public sealed class Alone : IAsyncLifetime
    {
        private readonly TinyModel _model = new();
        private readonly Folder _folder = new();

        internal string Model => _model.Name;

        internal string Run => _folder["run"];

        public async Task InitializeAsync()
        {
            await _model.InitializeAsync();
            Assert.Equal(0, (await Speedup.RunAsync(Grid(Model, Run))).Status);
        }

        public Task DisposeAsync()
        {
            _folder.Dispose();
            return _model.DisposeAsync();
        }
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Bench_TwoWorkersAndOneIsKilled_EndAsOneProcess()
    {
        var address = await AddressAsync();
        using var killed = Speedup.Start(Bench("one/run", address));
        await DoneAsync(address, Lifelines / 8, killed);
        using var heir = Speedup.Start(Bench("two/run", address));
        // both of one folder: the second one helps, and one of them writes
        using var helper = Speedup.Start(Bench("two/run", address));
        await DoneAsync(address, Lifelines / 4, killed);
        Assert.False(killed.HasExited, "the run ended before it could be killed");
        killed.Kill(); // SIGKILL
        await Speedup.EndAsync(killed);
        Assert.NotEqual(0L, await PostgresServer.AtAsync(address, "SELECT count(*) FROM speedup.work WHERE done IS NULL AND until IS NOT NULL"));

        foreach (var outcome in await Task.WhenAll(Speedup.EndAsync(heir), Speedup.EndAsync(helper)))
            Assert.Equal((0, ""), (outcome.Status, string.Join('\n', outcome.Error.Split('\n').Where(line => line.StartsWith("speedup", StringComparison.Ordinal)))));
        AssertSame("two/run");
        Assert.False(File.Exists(_folder["one/run/manifest.json"]));

        // who comes late finds everything done, and writes the same
        Assert.Equal(0, (await Speedup.RunAsync(Bench("one/run", address))).Status);
        AssertSame("one/run");
        var written = File.GetLastWriteTimeUtc(_folder["one/run/trials.jsonl"]);
        Assert.Equal(0, (await Speedup.RunAsync(Bench("one/run", address))).Status);
        Assert.Equal(written, File.GetLastWriteTimeUtc(_folder["one/run/trials.jsonl"]));

        (await Speedup.RunAsync([.. Bench("three/run", address), "--tau", "0.7"])).AssertRefused(2, "the run run in postgres://127.0.0.1", "tau: 0.5, now 0.7");
        (await Speedup.RunAsync([.. Bench("one/run", address), "--nodes", "4"])).AssertRefused(2, _folder["one/run"], "nodes: 16, now 4");
        var removed = await Speedup.RunAsync([.. Bench("three/run", address), "--discard"]);
        Assert.Equal((0, 0L), (removed.Status, await CountAsync(address, "true")));
    }

    [Fact]
    public async Task Bench_OneWorkerIsInterrupted_GivesBackAtOnceAndJoinsAgain()
    {
        var address = await AddressAsync();
        using var stopped = Speedup.Start(Bench("run", address));
        await DoneAsync(address, Lifelines / 8, stopped);
        Speedup.Interrupt(stopped);
        var outcome = await Speedup.EndAsync(stopped);
        Assert.Equal(130, outcome.Status);
        Assert.Contains("joins them again", outcome.Error, StringComparison.Ordinal);
        Assert.Equal(0L, await CountAsync(address, "done IS NULL AND until IS NOT NULL"));
        var before = await CountAsync(address, "done IS NOT NULL");
        Assert.InRange(before, Lifelines / 8, Lifelines - 1);
        Assert.Equal(0, (await Speedup.RunAsync(Bench("run", address))).Status);
        AssertSame("run");
    }

    [Fact]
    public async Task Bench_UnfinishedRunOfOneProcess_IsGoneOnWithTogether()
    {
        Directory.CreateDirectory(_folder["begun/run"]);
        // as a process leaves it that was killed in the middle of a line
        File.WriteAllText(_folder["begun/run/manifest.json"], File.ReadAllText(Path.Combine(alone.Run, "manifest.json")).Replace("\"complete\"", "\"running\"", StringComparison.Ordinal));
        var lines = File.ReadAllLines(Path.Combine(alone.Run, "trials.jsonl"));
        File.WriteAllText(_folder["begun/run/trials.jsonl"], string.Join('\n', lines[..101]) + "\n" + lines[101][..50]);
        Assert.Equal(0, (await Speedup.RunAsync(Bench("begun/run", await AddressAsync()))).Status);
        AssertSame("begun/run");
        // not even their time differs
        Assert.Equal(lines[..100], File.ReadAllLines(_folder["begun/run/trials.jsonl"]).Intersect(lines[..100]));
    }

    [Fact]
    public async Task Bench_DataWithoutLevels_IsSharedToo()
    {
        var address = await AddressAsync();
        string[] run = ["bench", "--model", "recorded:" + Recorded.Write(_folder, 60), "--samples", "6", "--out"];
        Assert.Equal(0, (await Speedup.RunAsync([.. run, _folder["alone/run"]])).Status);
        var both = await Task.WhenAll(
            Speedup.RunAsync([.. run, _folder["one/run"], "--workers", address]), Speedup.RunAsync([.. run, _folder["two/run"], "--workers", address]));
        Assert.All(both, outcome => Assert.Equal(0, outcome.Status));
        foreach (var file in Directory.GetFiles(_folder["alone/run"]))
        {
            foreach (var machine in new[] { "one", "two" })
                Assert.Equal(ResultFiles.WithoutTime(file), ResultFiles.WithoutTime(_folder[$"{machine}/run/{Path.GetFileName(file)}"]));
        }
    }

    [Fact]
    public async Task Bench_DatabaseGoesAway_IsWaitedForAndLosesNothing()
    {
        await using var server = await PostgresServer.StartAsync(durable: true);
        var address = await server.DatabaseAsync();
        using var patient = Speedup.Start(Bench("run", address));
        await DoneAsync(address, Lifelines / 8, patient);
        await server.CrashAsync();
        await server.StartAsync();
        await DoneAsync(address, Lifelines / 4, patient);
        Assert.False(patient.HasExited, "the run ended before the database could go away for good");
        await server.CrashAsync();
        var outcome = await Speedup.EndAsync(patient);
        (outcome with { Error = outcome.Error.TrimEnd().Split('\n')[^1] }).AssertRefused(1, "postgres://127.0.0.1", "cannot be reached", "the same command goes on");
        await server.StartAsync();
        var done = await CountAsync(address, "done IS NOT NULL");
        Assert.InRange(done, Lifelines / 4, Lifelines);
        Assert.Equal(0, (await Speedup.RunAsync(Bench("run", address))).Status);
        AssertSame("run");
    }

    [Theory]
    [InlineData("bench --workers postgres://127.0.0.1:1/x", "--out")]
    [InlineData("bench --workers nowhere --out x", "postgres://user:password@host:port/database")]
    [InlineData("bench --discard --out x", "--workers")]
    [InlineData("bench --stream --workers postgres://127.0.0.1:1/x --out x", "by one process")]
    [InlineData("bench --workers postgres://ann:secret@127.0.0.1:1/x --out x", "--workers postgres://127.0.0.1:1/x: the database cannot be reached")]
    public async Task Bench_BadUsage_SaysSoInOneLine(string line, string says) =>
        (await Speedup.RunAsync([.. line.Split(' '), "--model", alone.Model])).AssertRefused(2, says);

    [Fact]
    public async Task Bench_WorkerWhoseModelIsDown_FailsWithoutHarm()
    {
        var address = await AddressAsync();
        string[] run = ["bench", "--model", "http://127.0.0.1:9/v1", "--model-name", "m", "--groups", "2", "--memory", "none", "--out", _folder["run"], "--workers", address];
        (await Speedup.RunAsync(run)).AssertRefused(1, "127.0.0.1:9");
        Assert.Equal(0L, await CountAsync(address, "done IS NOT NULL"));
    }

    private string[] Bench(string folder, string? address = null) => [.. Grid(alone.Model, _folder[folder]), .. address is null ? (string[])[] : ["--workers", address]];

    private static string[] Grid(string model, string folder) =>
    [
        "bench", "--model", model, "--groups", "5", "--rounds", "3", "--samples", "2", "--scaling", "best-of-n,long-cot",
        "--memory", "none,in-context", "--feedback", "reference", "--out", folder,
    ];

    private static async Task<string> AddressAsync() => await (await PostgresServer.SharedAsync()).DatabaseAsync();

    private static async Task<long> CountAsync(string address, string which) =>
        Convert.ToInt64(await PostgresServer.AtAsync(address, $"SELECT count(*) FROM speedup.work WHERE {which}"), CultureInfo.InvariantCulture);

    /// <summary>Waits until so many lifelines are done.</summary>
    private static async Task DoneAsync(string address, long count, Process process)
    {
        while (!process.HasExited && (await PostgresServer.AtAsync(address, "SELECT to_regclass('speedup.work')::text") is DBNull or null || await CountAsync(address, "done IS NOT NULL") < count))
            await Task.Delay(10);
    }

    private void AssertSame(string folder)
    {
        var files = Directory.GetFiles(alone.Run).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal).ToList();
        Assert.Equal(files, Directory.GetFiles(_folder[folder]).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal));
        foreach (var file in files)
            Assert.Equal(ResultFiles.WithoutTime(Path.Combine(alone.Run, file)), ResultFiles.WithoutTime(_folder[$"{folder}/{file}"]));
        using var manifest = JsonDocument.Parse(File.ReadAllText(_folder[folder + "/manifest.json"]));
        Assert.Equal("complete", manifest.RootElement.GetProperty("status").GetString());
    }
}
