using System.Diagnostics;
using System.Globalization;
using SpeedupLlm.Testing;

namespace SpeedupLlm.PostgreSql.Tests;

/// <summary>PGlite with pgvector as another process: a real server that takes one connection at a time. It ends with this process.</summary>
internal sealed class Pglite : IAsyncLifetime
{
    private Process? _process;

    public string Address { get; private set; } = "";

    public async Task InitializeAsync()
    {
        await RunAsync(Path.Combine(Repository.Root, "tests", "install-npm.sh"), "pglite");
        var folder = Path.Combine(Repository.Root, ".cache", "pglite");
        _process = Process.Start(new ProcessStartInfo("node", [Path.Combine(folder, "server.mjs")]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        var port = int.Parse((await _process.StandardOutput.ReadLineAsync())!, CultureInfo.InvariantCulture);
        Address = string.Create(CultureInfo.InvariantCulture, $"Host=127.0.0.1;Port={port};Username=postgres;Database=postgres;SSL Mode=Disable;Maximum Pool Size=1;Timeout=100;Command Timeout=200");
    }

    /// <summary>Takes everything out that stores have kept.</summary>
    public async Task EmptyAsync()
    {
        // the pools of other tests are none of its business
        await using (var own = new Npgsql.NpgsqlConnection(Address))
            Npgsql.NpgsqlConnection.ClearPool(own);
        await PostgresServer.AtAsync(Address, "DROP SCHEMA IF EXISTS speedup CASCADE");
    }

    public async Task DisposeAsync()
    {
        if (_process is null)
            return;
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private static async Task RunAsync(params string[] command)
    {
        using var process = Process.Start(new ProcessStartInfo(command[0], command[1..]) { RedirectStandardError = true })!;
        var errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, errors);
    }
}
