using Npgsql;

namespace SpeedupLlm.PostgreSql;

/// <summary>Where a database is: <c>postgres://user:password@host:port/database?sslmode=require</c>, or Npgsql's own <c>Host=…;Database=…</c>.</summary>
/// <param name="ConnectionString">For Npgsql.</param>
/// <param name="Name">For messages: without the password.</param>
internal sealed record Address(string ConnectionString, string Name)
{
    private const int KeepAliveSeconds = 10, ConnectSeconds = 5;

    /// <summary>Whether a text is meant as a URL of PostgreSQL.</summary>
    public static bool IsUrl(string text) =>
        text.StartsWith("postgres://", StringComparison.OrdinalIgnoreCase) || text.StartsWith("postgresql://", StringComparison.OrdinalIgnoreCase);

    /// <summary>Reads an address. What it leaves out comes from <c>PGUSER</c>, <c>PGPASSWORD</c> and the like.</summary>
    /// <exception cref="FormatException">It is none; the message does not repeat it, as it may hold a password.</exception>
    public static Address Parse(string text)
    {
        NpgsqlConnectionStringBuilder builder;
        try
        {
            builder = IsUrl(text) ? OfUrl(text) : new(text);
        }
        catch (Exception e) when (e is ArgumentException or UriFormatException or FormatException)
        {
            throw new FormatException("the address of the database is not understood; it is postgres://user:password@host:port/database", e is FormatException ? e : null);
        }
        if (string.IsNullOrEmpty(builder.Host))
            throw new FormatException("the address of the database names no host; it is postgres://user:password@host:port/database");
        // nothing of a session is changed, so nothing is put back
        builder.NoResetOnClose = true;
        builder.ApplicationName ??= "speedupllm";
        if (!builder.ContainsKey("Keepalive"))
            builder.KeepAlive = KeepAliveSeconds;
        if (!builder.ContainsKey("Timeout"))
            builder.Timeout = ConnectSeconds;
        if (!builder.ContainsKey("Max Auto Prepare"))
            builder.MaxAutoPrepare = 50;
        var host = builder.Host.Contains(':', StringComparison.Ordinal) ? $"[{builder.Host}]" : builder.Host;
        return new(builder.ConnectionString, string.Create(System.Globalization.CultureInfo.InvariantCulture, $"postgres://{host}:{builder.Port}/{builder.Database ?? builder.Username}"));
    }

    private static NpgsqlConnectionStringBuilder OfUrl(string text)
    {
        var url = new Uri(text, UriKind.Absolute);
        var builder = new NpgsqlConnectionStringBuilder { Host = url.Host.Trim('[', ']') };
        if (url.Port > 0)
            builder.Port = url.Port;
        if (url.AbsolutePath.Length > 1)
            builder.Database = Uri.UnescapeDataString(url.AbsolutePath[1..]);
        var (user, password) = url.UserInfo.Split(':', 2) is [var u, var p] ? (u, p) : (url.UserInfo, "");
        if (user.Length > 0)
            builder.Username = Uri.UnescapeDataString(user);
        if (password.Length > 0)
            builder.Password = Uri.UnescapeDataString(password);
        foreach (var pair in url.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var (name, value) = pair.Split('=', 2) is [var n, var v] ? (Uri.UnescapeDataString(n), Uri.UnescapeDataString(v)) : throw new FormatException("a parameter has no value");
            // libpq's names and spellings; Npgsql's own pass as they are
            builder[name switch { "sslmode" => "SSL Mode", "sslrootcert" => "Root Certificate", "connect_timeout" => "Timeout", "application_name" => "Application Name", _ => name }] =
                name == "sslmode" ? value.Replace("-", "", StringComparison.Ordinal) : value;
        }
        return builder;
    }
}
