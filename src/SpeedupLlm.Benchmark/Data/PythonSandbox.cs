using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace SpeedupLlm.Benchmark.Data;

/// <summary>Runs Python programs that a model wrote, with tests behind them, where they can do no harm: bubblewrap, without network, without files but Python's own, with limits.</summary>
/// <remarks>
/// A program has 5 s of processor time, <see cref="Patience"/>, 512 MiB, few processes, and an empty folder that is gone afterwards. It passes if its tests run to their end
/// without an exception. What is promised is that it cannot get out; a program that is written to look as if it passed can look so.
/// </remarks>
public sealed partial class PythonSandbox
{
    private const string Bubblewrap = "/usr/bin/bwrap", Python = "/usr/bin/python3", Limiter = "/usr/bin/prlimit", Timer = "/usr/bin/timeout";

    private static readonly string[] Place =
    [
        "--unshare-all", "--as-pid-1", "--new-session", "--info-fd", "2", "--ro-bind", "/usr", "/usr", "--ro-bind-try", "/lib", "/lib", "--ro-bind-try", "/lib64", "/lib64",
        "--ro-bind-try", "/bin", "/bin", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--chdir", "/tmp", "--clearenv",
    ];

    private static readonly string[] Limited = [Limiter, "--cpu=5", "--as=536870912", "--nproc=64", "--fsize=1048576", "--core=0", Python, "-I", "-B", "-"];

    // many lifelines are lived at once; more programs than cores only make each other late
    private readonly SemaphoreSlim _places = new(Environment.ProcessorCount);

    private PythonSandbox()
    {
    }

    /// <summary>The wall-clock limit of a program with its tests: many times what its processor time needs, since machines are shared. Default 30 s.</summary>
    internal TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The sandbox of this machine.</summary>
    /// <exception cref="PlatformNotSupportedException">It has none; says what is missing.</exception>
    public static Task<PythonSandbox> OpenAsync(CancellationToken cancellationToken) => ProbeAsync(new(), cancellationToken);

    internal static Task<PythonSandbox> OpenAsync(TimeSpan patience, CancellationToken cancellationToken) => ProbeAsync(new() { Patience = patience }, cancellationToken);

    private static async Task<PythonSandbox> ProbeAsync(PythonSandbox sandbox, CancellationToken cancellationToken)
    {
        if (new[] { Bubblewrap, Python, Limiter, Timer }.FirstOrDefault(f => !File.Exists(f)) is { } missing)
            throw new PlatformNotSupportedException($"running programs needs Linux with bubblewrap, Python, prlimit and timeout; {missing} is not there (Debian: apt-get install bubblewrap python3 util-linux coreutils)");
        // a kernel may forbid what bubblewrap needs
        if (!await sandbox.PassesAsync("", "assert 1 + 1 == 2", cancellationToken).ConfigureAwait(false))
            throw new PlatformNotSupportedException("running programs needs bubblewrap, which does not work here: try bwrap --unshare-all --ro-bind / / true");
        return sandbox;
    }

    /// <summary>Whether a program's tests run to their end.</summary>
    /// <param name="program">Python 3.</param>
    /// <param name="tests">Python that raises where the program, run before it, is wrong.</param>
    /// <param name="cancellationToken">Ends the program too.</param>
    public async Task<bool> PassesAsync(string program, string tests, CancellationToken cancellationToken)
    {
        await _places.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await RunAsync(program, tests, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _places.Release();
        }
    }

    private async Task<bool> RunAsync(string program, string tests, CancellationToken cancellationToken)
    {
        // an early exit must not pass: the last line printed is what shows that the tests have ended
        var passed = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(program + "\n" + tests)));
        var script = $"""
            import base64
            names = dict(__name__="answer")
            for part in ("{Base64(program)}", "{Base64(tests)}"):
                exec(compile(base64.b64decode(part).decode("utf-8"), "answer", "exec"), names)
            print("\n{passed}", flush=True)
            """;
        using var late = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        late.CancelAfter(Patience + TimeSpan.FromSeconds(5));
        // the timer is the first process inside: whatever becomes of this process the program has an end, and with the timer all that it has started
        string[] timer = [Timer, "--signal=KILL", Patience.TotalSeconds.ToString(CultureInfo.InvariantCulture)];
        using var process = Process.Start(new ProcessStartInfo(Bubblewrap, [.. Place, .. timer, .. Limited])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        }) ?? throw new Win32Exception("bubblewrap does not start");
        // read to the end, whoever goes away: the end comes when all of them are dead
        var inside = new TaskCompletionSource<int?>();
        var output = LastAsync(process.StandardOutput, null);
        var errors = LastAsync(process.StandardError, inside);
        try
        {
            await process.StandardInput.WriteAsync(script.AsMemory(), late.Token).ConfigureAwait(false);
            process.StandardInput.Close();
            await process.WaitForExitAsync(late.Token).ConfigureAwait(false);
            await errors.WaitAsync(late.Token).ConfigureAwait(false);
            return process.ExitCode == 0 && (await output.WaitAsync(late.Token).ConfigureAwait(false)).TrimEnd().EndsWith(passed, StringComparison.Ordinal);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false; // too slow is not right
        }
        catch (IOException) when (!cancellationToken.IsCancellationRequested)
        {
            return false; // it went away before it had read its tests
        }
        finally
        {
            await EndAsync(process, inside.Task).ConfigureAwait(false);
        }
    }

    /// <summary>Ends what has not ended, by the first process inside: all the others there die with it. Bubblewrap's own way (to die with its parent) fails where the parent is a thread, or the caller is root.</summary>
    private async Task EndAsync(Process process, Task<int?> inside)
    {
        if (process.HasExited)
            return;
        process.StandardInput.Close(); // who has read nothing yet has nothing to do
        try
        {
            // bubblewrap waits for it, so its number is nobody else's
            if (await inside.WaitAsync(Patience).ConfigureAwait(false) is { } first && !process.HasExited)
            {
                using var program = Process.GetProcessById(first);
                program.Kill();
            }
        }
        catch (Exception e) when (e is TimeoutException or ArgumentException)
        {
            // it has not begun in all this time, or it has just ended by itself
        }
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    /// <summary>The end of what is written, however much that is.</summary>
    /// <param name="from">What is read.</param>
    /// <param name="inside">Gets the number of the first process inside, which bubblewrap writes before all else; null if it does not.</param>
    private static async Task<string> LastAsync(StreamReader from, TaskCompletionSource<int?>? inside)
    {
        const int kept = 4096;
        var buffer = new char[kept];
        var last = "";
        while (await from.ReadAsync(buffer).ConfigureAwait(false) is > 0 and var read)
        {
            last = (last + new string(buffer, 0, read)) is { Length: > kept } long_ ? long_[^kept..] : last + new string(buffer, 0, read);
            if (inside is { Task.IsCompleted: false } && ChildPid().Match(last) is { Success: true } pid)
                inside.SetResult(int.Parse(pid.Groups[1].ValueSpan, CultureInfo.InvariantCulture));
        }

        inside?.TrySetResult(null);
        return last;
    }

    [GeneratedRegex("^\\{\\s*\"child-pid\":\\s*([0-9]+)\\s*[,}]")]
    private static partial Regex ChildPid();
}
