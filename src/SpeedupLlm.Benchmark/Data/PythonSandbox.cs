using System.ComponentModel;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;

namespace SpeedupLlm.Benchmark.Data;

/// <summary>Runs Python programs that a model wrote, with tests behind them, where they can do no harm: bubblewrap, without network, without files but Python's own, with limits.</summary>
/// <remarks>
/// A program has <see cref="MostSeconds"/> s, 512 MiB, few processes, and an empty folder that is gone afterwards. It passes if its tests run to their end
/// without an exception. What is promised is that it cannot get out; a program that is written to look as if it passed can look so.
/// </remarks>
public sealed class PythonSandbox
{
    /// <summary>The wall-clock limit of a program with its tests, in seconds.</summary>
    public const int MostSeconds = 10;

    private const string Bubblewrap = "/usr/bin/bwrap", Python = "/usr/bin/python3", Limiter = "/usr/bin/prlimit";

    private static readonly string[] Arguments =
    [
        "--unshare-all", "--die-with-parent", "--new-session", "--ro-bind", "/usr", "/usr", "--ro-bind-try", "/lib", "/lib", "--ro-bind-try", "/lib64", "/lib64",
        "--ro-bind-try", "/bin", "/bin", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--chdir", "/tmp", "--clearenv",
        Limiter, "--cpu=5", "--as=536870912", "--nproc=64", "--fsize=1048576", "--core=0", Python, "-I", "-B", "-",
    ];

    // many lifelines are lived at once; more programs than cores only make each other late
    private readonly SemaphoreSlim _places = new(Environment.ProcessorCount);

    private PythonSandbox()
    {
    }

    /// <summary>The sandbox of this machine.</summary>
    /// <exception cref="PlatformNotSupportedException">It has none; says what is missing.</exception>
    public static async Task<PythonSandbox> OpenAsync(CancellationToken cancellationToken)
    {
        if (new[] { Bubblewrap, Python, Limiter }.FirstOrDefault(f => !File.Exists(f)) is { } missing)
            throw new PlatformNotSupportedException($"running programs needs Linux with bubblewrap, Python and prlimit; {missing} is not there (Debian: apt-get install bubblewrap python3 util-linux)");
        var sandbox = new PythonSandbox();
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

    private static async Task<bool> RunAsync(string program, string tests, CancellationToken cancellationToken)
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
        late.CancelAfter(TimeSpan.FromSeconds(MostSeconds));
        using var process = Process.Start(new ProcessStartInfo(Bubblewrap, Arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        }) ?? throw new Win32Exception("bubblewrap does not start");
        try
        {
            var output = LastAsync(process.StandardOutput, late.Token);
            var errors = LastAsync(process.StandardError, late.Token);
            await process.StandardInput.WriteAsync(script.AsMemory(), late.Token).ConfigureAwait(false);
            process.StandardInput.Close();
            await process.WaitForExitAsync(late.Token).ConfigureAwait(false);
            await errors.ConfigureAwait(false);
            return process.ExitCode == 0 && (await output.ConfigureAwait(false)).TrimEnd().EndsWith(passed, StringComparison.Ordinal);
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
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    /// <summary>The end of what is written, however much that is.</summary>
    private static async Task<string> LastAsync(StreamReader from, CancellationToken cancellationToken)
    {
        const int kept = 4096;
        var buffer = new char[kept];
        var last = "";
        while (await from.ReadAsync(buffer, cancellationToken).ConfigureAwait(false) is > 0 and var read)
            last = (last + new string(buffer, 0, read)) is { Length: > kept } long_ ? long_[^kept..] : last + new string(buffer, 0, read);
        return last;
    }
}
