using System.Text.Json;
using Microsoft.Extensions.AI;
using SpeedupLlm.Benchmark.Data;
using SpeedupLlm.Relevancy;

namespace SpeedupLlm.Benchmark.Tests.Data;

public sealed class PythonSandboxTests : IDisposable
{
    private const string Tests = "assert add(40, 2) == 42\nassert add(-1, 1) == 0";

    private readonly string _file = Path.GetTempFileName();

    public void Dispose() => File.Delete(_file);

    [Theory]
    [InlineData("def add(a, b):\n    return a + b", true)]
    [InlineData("import math\nprint('chatter ' * 100000)\ndef add(a, b): return int(math.fsum([a, b]))", true)]
    [InlineData("def add(a, b):\n    return a - b", false)]
    [InlineData("def add(a, b:", false)]
    [InlineData("", false)]
    [InlineData("import sys; sys.exit(0)", false)]
    [InlineData("import os; os._exit(0)", false)]
    [InlineData("raise KeyboardInterrupt", false)]
    [InlineData("def add(a, b):\n    while True: pass", false)]
    [InlineData("x = bytearray(2_000_000_000)\ndef add(a, b): return a + b", false)]
    [InlineData("import socket; socket.create_connection(('127.0.0.1', PORT), 2)\ndef add(a, b): return a + b", false)]
    [InlineData("open('/etc/passwd').read()\ndef add(a, b): return a + b", false)]
    [InlineData("open('/usr/left-behind', 'w')\ndef add(a, b): return a + b", false)]
    [InlineData("import os; open('/tmp/x', 'w').write('mine'); assert os.listdir('/tmp') == ['x'] and not os.environ.get('HOME')\ndef add(a, b): return a + b", true)]
    public async Task Passes_Program_IsRightOrHarmless(string program, bool passes)
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        program = program.Replace("PORT", $"{((System.Net.IPEndPoint)listener.LocalEndpoint).Port}", StringComparison.Ordinal);
        if (await OpenAsync() is not { } sandbox)
            return;
        Assert.Equal(passes, await sandbox.PassesAsync(program, Tests, CancellationToken.None));
        Assert.False(listener.Pending());
    }

    [Fact]
    public async Task Passes_CancelledMeanwhile_EndsTheProgram()
    {
        if (await OpenAsync() is not { } sandbox)
            return;
        using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sandbox.PassesAsync("import time\ntime.sleep(1000)", "", soon.Token));
        Assert.True(soon.IsCancellationRequested);
        await AssertNothingIsLeftAsync();
    }

    [Fact]
    public async Task Passes_TooLate_IsNotRightAndEndsTheProgram()
    {
        if (await OpenAsync(TimeSpan.FromSeconds(2)) is not { } sandbox)
            return;
        var programs = Enumerable.Range(0, 4).Select(i => sandbox.PassesAsync(i % 2 == 0 ? "import time; time.sleep(1000)" : "import os\nif os.fork() == 0: os.setsid()\nimport time; time.sleep(1000)", "", CancellationToken.None));
        Assert.All(await Task.WhenAll(programs), Assert.False);
        await AssertNothingIsLeftAsync();
    }

    /// <summary>Killed again and again at any moment of its start, nothing stays.</summary>
    [Fact]
    public async Task Passes_CancelledAtAnyMoment_LeavesNothingBehind()
    {
        if (await OpenAsync() is not { } sandbox)
            return;
        for (var i = 0; i < 40; i++)
        {
            using var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(3 * i));
            try
            {
                await sandbox.PassesAsync("import time\ntime.sleep(1000)", "", soon.Token);
            }
            catch (OperationCanceledException)
            {
                // as it should
            }
        }
        await AssertNothingIsLeftAsync();
    }

    /// <summary>No program of a sandbox runs any more. The dead have no command line, whether anybody has asked after them or not.</summary>
    private static async Task AssertNothingIsLeftAsync()
    {
        for (var i = 0; i < 100 && Left().Count > 0; i++)
            await Task.Delay(100);
        Assert.Empty(Left());

        static List<string> Left() =>
            [.. Directory.EnumerateDirectories("/proc").Where(d => char.IsAsciiDigit(Path.GetFileName(d)[0])).Select(CommandOf).Where(c => c.Contains("python3\0-I\0-B\0-", StringComparison.Ordinal))];

        static string CommandOf(string process)
        {
            try
            {
                return File.ReadAllText(Path.Combine(process, "cmdline"));
            }
            catch (IOException)
            {
                return ""; // gone meanwhile
            }
        }
    }

    [Fact]
    public async Task IsCorrect_QuestionOfKindCode_RunsTheProgramInTheAnswer()
    {
        await File.WriteAllTextAsync(_file, JsonSerializer.Serialize(new { text = "Write add(a, b).", answer = "def add(a, b): return a + b", kind = "code", tests = Tests }));
        var sandbox = await OpenAsync();
        var data = QuestionFile.Load(_file, sandbox);
        Assert.True(data.AsksForPrograms);
        var example = data.At(0, SimilarityLevel.S1, 0);
        var format = Assert.IsType<ChatResponseFormatJson>(data.QuestionOf(example).Options!.ResponseFormat);
        Assert.Contains("program", format.Schema!.Value.GetRawText(), StringComparison.Ordinal);
        await Assert.ThrowsAsync<InvalidOperationException>(() => QuestionFile.Load(_file).IsCorrectAsync(example, "{}", CancellationToken.None).AsTask());
        if (sandbox is null)
            return;
        Assert.True(await data.IsCorrectAsync(example, """{"program":"def add(a, b):\n    return b + a"}""", CancellationToken.None));
        foreach (var wrong in new[] { """{"program":"def add(a, b): return a"}""", """{"program":7}""", "def add(a, b): return a + b", "[]", null })
            Assert.False(await data.IsCorrectAsync(example, wrong, CancellationToken.None));
    }

    /// <summary>The sandbox, or null on a machine that has none and says so.</summary>
    private static async Task<PythonSandbox?> OpenAsync(TimeSpan? patience = null)
    {
        try
        {
            return patience is { } limit ? await PythonSandbox.OpenAsync(limit, CancellationToken.None) : await PythonSandbox.OpenAsync(CancellationToken.None);
        }
        catch (PlatformNotSupportedException e)
        {
            Assert.Contains("bubblewrap", e.Message, StringComparison.Ordinal);
            return null;
        }
    }
}
