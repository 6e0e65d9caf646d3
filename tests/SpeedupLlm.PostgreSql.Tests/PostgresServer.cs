using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace SpeedupLlm.PostgreSql.Tests;

/// <summary>A private PostgreSQL of the system's binaries, in a temporary folder, on a loopback port that the system chose. It ends with this process, however that ends.</summary>
internal sealed class PostgresServer : IAsyncDisposable
{
    public const string User = "speedup", Password = "s/e:c@r%t";

    private static readonly Lazy<Task<PostgresServer>> Common = new(() => StartAsync(durable: false));
    private static int _databases;

    private readonly string _folder;
    private readonly bool _durable;
    private Process? _process;

    private PostgresServer(string folder, bool durable)
    {
        _folder = folder;
        _durable = durable;
        Port = FreePort();
    }

    public int Port { get; }

    private string Data => Path.Combine(_folder, "data");

    /// <summary>The server that tests share. It does not wait for the disk: durability is not their subject.</summary>
    public static Task<PostgresServer> SharedAsync() => Common.Value;

    /// <summary>A server of a test's own.</summary>
    public static async Task<PostgresServer> StartAsync(bool durable)
    {
        var server = new PostgresServer(Directory.CreateTempSubdirectory("speedup-postgres-").FullName, durable);
        AppDomain.CurrentDomain.ProcessExit += (_, _) => server.RemoveFolder();
        var password = Path.Combine(server._folder, "password");
        await File.WriteAllTextAsync(password, Password);
        if (IsRoot)
            await RunAsync("chown", "-R", "postgres:", server._folder);
        await RunAsync([.. AsPostgres, Binary("initdb"), "-D", server.Data, "-U", User, "--pwfile", password, "-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "--no-sync"]);
        await server.StartAsync();
        return server;
    }

    /// <summary>Starts it, again if it was stopped, on the same port.</summary>
    public async Task StartAsync()
    {
        string[] speed = _durable ? [] : ["-c", "fsync=off", "-c", "full_page_writes=off"];
        // the shell waits for the end of its input, which is that of this process
        string[] command =
        [
            "sh", "-c", "\"$@\" & server=$!; cat >/dev/null; kill -INT $server; wait $server", "sh",
            .. AsPostgres, Binary("postgres"), "-D", Data, "-p", Port.ToString(CultureInfo.InvariantCulture), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=",
            "-c", "max_connections=200", "-c", "shared_buffers=32MB", .. speed,
        ];
        var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardInput = true, RedirectStandardError = true };
        _process = Process.Start(start)!;
        _process.ErrorDataReceived += (_, _) => { };
        _process.BeginErrorReadLine();
        for (var i = 0; ; i++)
        {
            try
            {
                await using var connection = new NpgsqlConnection(Builder("postgres").ConnectionString + ";Pooling=false");
                await connection.OpenAsync();
                return;
            }
            catch (NpgsqlException) when (i < 600)
            {
                await Task.Delay(100);
            }
        }
    }

    /// <summary>Ends the server as a crash would, without writing what it holds.</summary>
    public async Task CrashAsync()
    {
        var pid = (await File.ReadAllLinesAsync(Path.Combine(Data, "postmaster.pid")))[0];
        await RunAsync("kill", "-QUIT", pid);
        for (var i = 0; File.Exists(Path.Combine(Data, "postmaster.pid")) && i < 600; i++)
            await Task.Delay(50);
        await EndAsync();
    }

    /// <summary>Kills one server process, which makes the server throw out all others and recover, without itself ending.</summary>
    public Task KillAsync(int process) => RunAsync("kill", "-KILL", process.ToString(CultureInfo.InvariantCulture));

    /// <summary>The address of a new database.</summary>
    public async Task<string> DatabaseAsync()
    {
        var name = "test" + Interlocked.Increment(ref _databases).ToString(CultureInfo.InvariantCulture);
        await SqlAsync("postgres", $"CREATE DATABASE {name} STRATEGY file_copy");
        return AddressOf(name);
    }

    /// <summary>The address of a database, with patience for a busy machine.</summary>
    private string AddressOf(string database) => string.Create(
        CultureInfo.InvariantCulture, $"postgres://{User}:{Uri.EscapeDataString(Password)}@127.0.0.1:{Port}/{database}?connect_timeout=100&Command%20Timeout=200");

    /// <summary>Runs SQL in a database, past the store; the first value.</summary>
    public Task<object?> SqlAsync(string database, string sql) => SqlAsync(Builder(database), sql);

    /// <summary>Runs SQL at an address, past the store; the first value.</summary>
    public static Task<object?> AtAsync(string address, string sql) => SqlAsync(new(Address.Parse(address).ConnectionString), sql);

    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        RemoveFolder();
    }

    private static bool IsRoot => Environment.UserName == "root";

    private static string[] AsPostgres => IsRoot ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"] : [];

    private NpgsqlConnectionStringBuilder Builder(string database) => new() { Host = "127.0.0.1", Port = Port, Username = User, Password = Password, Database = database };

    private static async Task<object?> SqlAsync(NpgsqlConnectionStringBuilder builder, string sql)
    {
        builder.Pooling = false;
        await using var connection = new NpgsqlConnection(builder.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }

    private async Task EndAsync()
    {
        if (_process is null)
            return;
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _process = null;
    }

    private void RemoveFolder()
    {
        try
        {
            _process?.StandardInput.Close();
            _process?.WaitForExit(TimeSpan.FromSeconds(10));
            Directory.Delete(_folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidOperationException)
        {
            // it is in the system's folder for such things
        }
    }

    /// <summary>Debian keeps the server's programs off the PATH; the newest version is taken.</summary>
    private static string Binary(string name)
    {
        const string Debian = "/usr/lib/postgresql";
        var versions = Directory.Exists(Debian) ? Directory.GetDirectories(Debian) : [];
        return versions
            .OrderByDescending(d => int.TryParse(Path.GetFileName(d), CultureInfo.InvariantCulture, out var version) ? version : 0).Select(d => Path.Combine(d, "bin"))
            .Concat((Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator))
            .Select(d => Path.Combine(d, name)).FirstOrDefault(File.Exists)
            ?? throw new InvalidOperationException("PostgreSQL is missing; install it (Debian: apt-get install postgresql).");
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static async Task RunAsync(params string[] command)
    {
        using var process = Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/" })!;
        var errors = process.StandardError.ReadToEndAsync();
        await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"{command[0]} ended with {process.ExitCode}: {await errors}");
    }
}
