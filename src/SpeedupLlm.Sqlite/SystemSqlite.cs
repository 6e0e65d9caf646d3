using System.Reflection;
using System.Runtime.InteropServices;
using SQLitePCL;

namespace SpeedupLlm.Sqlite;

/// <summary>Reaches the system's own SQLite: the bundled one of these packages is old and has known holes.</summary>
internal static class SystemSqlite
{
    private static readonly Lock Gate = new();

    /// <summary>Sets the provider once, and only if the host has set none.</summary>
    /// <exception cref="DllNotFoundException">The system has no SQLite.</exception>
    public static void Ensure()
    {
        lock (Gate)
        {
            if (IsSet())
                return;
            try
            {
                NativeLibrary.SetDllImportResolver(typeof(SQLite3Provider_e_sqlite3).Assembly, Resolve);
            }
            catch (InvalidOperationException)
            {
                // the host resolves it in its own way
            }
            raw.SetProvider(new SQLite3Provider_e_sqlite3());
        }
    }

    private static bool IsSet()
    {
        try
        {
            return raw.sqlite3_libversion_number() > 0;
        }
        catch (Exception e) when (e is not DllNotFoundException)
        {
            return false; // the package throws a bare Exception when no provider is set
        }
    }

    private static IntPtr Resolve(string name, Assembly assembly, DllImportSearchPath? path)
    {
        if (name != "e_sqlite3")
            return IntPtr.Zero;
        string[] names = OperatingSystem.IsWindows() ? ["winsqlite3.dll"]
            : OperatingSystem.IsMacOS() ? ["libsqlite3.dylib", "/usr/lib/libsqlite3.dylib"]
            : ["libsqlite3.so.0", "libsqlite3.so"];
        foreach (var candidate in names)
        {
            if (NativeLibrary.TryLoad(candidate, assembly, path, out var library))
                return library;
        }
        throw new DllNotFoundException($"The system's SQLite ({names[0]}) is missing: install it (Debian: apt install libsqlite3-0).");
    }
}
