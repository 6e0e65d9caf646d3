using System.CommandLine;
using SpeedupLlm.Experience;
using SpeedupLlm.PostgreSql;
using SpeedupLlm.Sqlite;

namespace SpeedupLlm.Cli;

/// <summary>The store that a command works on: a file, by default one in the user's data folder, or a PostgreSQL database.</summary>
internal static class StoreSource
{
    /// <summary>The tenant of a single machine.</summary>
    public static string Tenant => Caller.Local.Tenant;

    public static Option<string?> Option() => new("--store") { Description = "Where experience is kept: a file, or postgres://user:password@host:port/database (a password may also come from PGPASSWORD). Default: a file in the user's data folder." };

    /// <summary>Opens the store, and makes it if it is not there.</summary>
    public static async ValueTask<IExperienceStore> OpenAsync(string? place, CancellationToken cancellationToken)
    {
        var path = place ?? DefaultFile();
        if (path.Length == 0)
            throw new UsageException("--store needs a file name or the address of a database");
        if (PostgreSqlStore.IsAddress(path))
            return await OpenDatabaseAsync(path, cancellationToken).ConfigureAwait(false);
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder)
            Directory.CreateDirectory(folder);
        return await SqliteStore.OpenAsync(path, null, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Opens a store that must be there.</summary>
    public static ValueTask<IExperienceStore> OpenExistingAsync(string? place, CancellationToken cancellationToken)
    {
        var path = place ?? DefaultFile();
        return PostgreSqlStore.IsAddress(path) || File.Exists(path)
            ? OpenAsync(path, cancellationToken)
            : throw new UsageException($"{path}: nothing is remembered there; ask a question first, or name another --store");
    }

    /// <summary>Opens a store for a server: a database that is away comes back while it runs.</summary>
    public static async ValueTask<IExperienceStore> OpenForServerAsync(string? place, CancellationToken cancellationToken) => place is not null && PostgreSqlStore.IsAddress(place)
        ? await PostgreSqlStore.OpenAsync(place, null, cancellationToken).ConfigureAwait(false)
        : await OpenAsync(place, cancellationToken).ConfigureAwait(false);

    /// <summary>Where a store is, without user and password.</summary>
    public static string NameOf(IExperienceStore store, string? place) => store is PostgreSqlStore database ? database.Name : place ?? DefaultFile();

    /// <summary>Opens a database that can be reached: a command is over before another one may come back.</summary>
    private static async ValueTask<IExperienceStore> OpenDatabaseAsync(string address, CancellationToken cancellationToken)
    {
        var store = await PostgreSqlStore.OpenAsync(address, null, cancellationToken).ConfigureAwait(false);
        if (store.Unreachable is not { } reason)
            return store;
        await store.DisposeAsync().ConfigureAwait(false);
        throw new UsageException($"--store {store.Name}: {reason}");
    }

    /// <summary>Where experience is kept when nothing else is said.</summary>
    private static string DefaultFile() => Path.Combine(
        Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.Create), "speedupllm", "experience.db");
}
