using System.CommandLine;
using SpeedupLlm.Experience;
using SpeedupLlm.Sqlite;

namespace SpeedupLlm.Cli;

/// <summary>The store that a command works on: a file, by default one in the user's data folder.</summary>
internal static class StoreSource
{
    /// <summary>The tenant of a single machine.</summary>
    public static string Tenant => Caller.Local.Tenant;

    public static Option<string?> Option() => new("--store") { Description = "The file that experience is kept in. Default: one in the user's data folder." };

    /// <summary>Opens the store, and makes it if it is not there.</summary>
    public static async ValueTask<IExperienceStore> OpenAsync(string? file, CancellationToken cancellationToken)
    {
        var path = file ?? DefaultFile();
        if (path.Length == 0)
            throw new UsageException("--store needs a file name");
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder)
            Directory.CreateDirectory(folder);
        return await SqliteStore.OpenAsync(path, null, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Opens a store that must be there.</summary>
    public static ValueTask<IExperienceStore> OpenExistingAsync(string? file, CancellationToken cancellationToken)
    {
        var path = file ?? DefaultFile();
        return File.Exists(path)
            ? OpenAsync(path, cancellationToken)
            : throw new UsageException($"{path}: nothing is remembered there; ask a question first, or name another --store");
    }

    /// <summary>Where experience is kept when nothing else is said.</summary>
    private static string DefaultFile() => Path.Combine(
        Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.Create), "speedupllm", "experience.db");
}
