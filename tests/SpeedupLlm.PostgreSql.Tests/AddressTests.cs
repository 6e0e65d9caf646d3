using Npgsql;

namespace SpeedupLlm.PostgreSql.Tests;

public sealed class AddressTests
{
    [Theory]
    [InlineData("postgres://ann:s%2Fe%3Ac@db.example:6432/mem?sslmode=verify-full", "db.example", 6432, "mem", "ann", "s/e:c", SslMode.VerifyFull)]
    [InlineData("postgresql://db.example/mem", "db.example", 5432, "mem", null, null, SslMode.Prefer)]
    [InlineData("POSTGRES://ann@[::1]:7/mem", "::1", 7, "mem", "ann", null, SslMode.Prefer)]
    [InlineData("Host=db.example;Port=9;Database=mem;Username=ann;Password=p", "db.example", 9, "mem", "ann", "p", SslMode.Prefer)]
    public void Parse_Address_SaysWhere(string text, string host, int port, string database, string? user, string? password, SslMode ssl)
    {
        var address = Address.Parse(text);
        var read = new NpgsqlConnectionStringBuilder(address.ConnectionString);
        Assert.Equal((host, port, database, user, password, ssl), (read.Host, read.Port, read.Database, read.Username, read.Password, read.SslMode));
        Assert.EndsWith($":{port}/{database}", address.Name, StringComparison.Ordinal);
        Assert.DoesNotContain("ann", address.Name, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("postgres://ann:secret@/mem")]
    [InlineData("postgres://ann:secret@db:99999/mem")]
    [InlineData("postgres://ann:secret@db/mem?nonsense=1")]
    [InlineData("postgres://ann:secret@db/mem?sslmode")]
    [InlineData("secret")]
    [InlineData("Database=mem;Password=secret")]
    public void Parse_NoAddress_IsRefusedWithoutRepeatingIt(string text)
    {
        var error = Assert.Throws<FormatException>(() => Address.Parse(text));
        Assert.DoesNotContain("secret", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }
}
