using System.Diagnostics;
using System.Globalization;

namespace SpeedupLlm.GatewayBenchmarks.Servers;

/// <summary>A server in a process of its own. It ends with this process, however that ends.</summary>
internal sealed class ChildServer : IDisposable
{
    private readonly Process _shell;

    private ChildServer(Process shell, int id, Uri address) => (_shell, Id, Address) = (shell, id, address);

    /// <summary>The server's process.</summary>
    public int Id { get; }

    public Uri Address { get; }

    /// <summary>Resident memory in bytes.</summary>
    public long Resident
    {
        get
        {
            var line = File.ReadLines($"/proc/{Id.ToString(CultureInfo.InvariantCulture)}/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
            return 1024 * long.Parse(line.AsSpan(6).Trim(" \tkB"), CultureInfo.InvariantCulture);
        }
    }

    /// <summary>Processor time that it has used, to a hundredth of a second: it hardly depends on what else the machine does.</summary>
    public TimeSpan Processor
    {
        get
        {
            // the name before the fields may hold anything but a last bracket
            var stat = File.ReadAllText($"/proc/{Id.ToString(CultureInfo.InvariantCulture)}/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return TimeSpan.FromSeconds((long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) / 100.0);
        }
    }

    /// <summary>Starts a command and waits until it says where it listens.</summary>
    /// <param name="command">The program and its arguments.</param>
    /// <param name="addressOf">The address in a line of its output, or null if it is not in this one.</param>
    /// <exception cref="InvalidOperationException">It ended before it listened.</exception>
    public static async Task<ChildServer> StartAsync(IReadOnlyList<string> command, Func<string, Uri?> addressOf)
    {
        // the server is ended with the shell's input, which ends with this process
        const string script = "exec 3<&0; \"$@\" 3<&- & server=$!; echo \"pid $server\"; { cat <&3; kill -TERM $server; } >/dev/null 2>&1 & wait $server";
        var shell = Process.Start(new ProcessStartInfo("sh", ["-c", script, "sh", .. command]) { RedirectStandardInput = true, RedirectStandardOutput = true })
            ?? throw new InvalidOperationException("The shell did not start.");
        var id = 0;
        while (await shell.StandardOutput.ReadLineAsync() is { } line)
        {
            if (line.StartsWith("pid ", StringComparison.Ordinal))
                id = int.Parse(line.AsSpan(4), CultureInfo.InvariantCulture);
            else if (addressOf(line) is { } address)
                return new(shell, id, address);
        }
        throw new InvalidOperationException($"{string.Join(' ', command)} ended before it listened.");
    }

    /// <summary>This program in another role.</summary>
    public static Task<ChildServer> StartRoleAsync(params string[] role) =>
        StartAsync(["dotnet", typeof(ChildServer).Assembly.Location, .. role], static line => line.StartsWith("http://", StringComparison.Ordinal) ? new(line) : null);

    public void Dispose()
    {
        _shell.StandardInput.Close();
        if (!_shell.WaitForExit(TimeSpan.FromSeconds(60)))
            _shell.Kill(entireProcessTree: true);
        _shell.Dispose();
    }
}
