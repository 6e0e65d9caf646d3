using Microsoft.Data.Sqlite;

namespace SpeedupLlm.Sqlite.Tests;

public sealed class SchemaTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Check_WhileAnotherMakesTheStore_SeesNothingOrAStore()
    {
        // the moment between two reads of a header is short: many files meet it
        for (var i = 0; i < 100; i++)
        {
            var file = _folder.File($"{i}.db");
            using var reader = Open(file);
            var made = Task.Run(() =>
            {
                using var writer = Open(file);
                Schema.Migrate(writer, file);
            });
            long version;
            do
                version = Schema.Check(reader, file);
            while (version == 0);
            Assert.Equal(Schema.Current, version);
            await made;
        }
    }

    private static Database Open(string file) => Database.Open(file, SqliteOpenMode.ReadWriteCreate, TimeSpan.FromSeconds(10));
}
