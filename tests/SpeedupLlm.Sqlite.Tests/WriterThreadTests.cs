using Microsoft.Data.Sqlite;

namespace SpeedupLlm.Sqlite.Tests;

public sealed class WriterThreadTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task RunAsync_BeforeTheCommitEnds_IsNotAcknowledged()
    {
        // a kill rarely falls between the two, so the order itself is looked at
        Task<int>? write = null;
        using var asked = new ManualResetEventSlim();
        bool? early = null;
        await using var writer = new WriterThread(
            () =>
            {
                var database = Open();
                database.Script("CREATE TABLE t (x)");
                SQLitePCL.raw.sqlite3_commit_hook(database.Handle, _ =>
                {
                    asked.Wait();
                    early = write!.Wait(TimeSpan.FromMilliseconds(300));
                    return 0;
                }, null);
                return database;
            },
            e => e, _ => { });
        write = Task.Run(async () => await writer.RunAsync(d => d.Execute("INSERT INTO t VALUES (1)"), CancellationToken.None));
        asked.Set();
        Assert.Equal(1, await write);
        Assert.False(early);
    }

    [Fact]
    public async Task RunAsync_OneOfManyFails_TakesNoOtherWithIt()
    {
        using (var database = Open())
            database.Script("CREATE TABLE t (x UNIQUE)");
        await using var writer = new WriterThread(Open, e => e, _ => { });
        var writes = Enumerable.Range(0, 40).Select(i => writer.RunAsync(d =>
        {
            d.Execute("INSERT INTO t VALUES ($1)", i);
            return i % 4 == 0 ? throw new InvalidOperationException("no") : i;
        }, CancellationToken.None).AsTask()).ToList();
        foreach (var (i, write) in writes.Index())
        {
            if (i % 4 == 0)
                await Assert.ThrowsAsync<InvalidOperationException>(() => write);
            else
                Assert.Equal(i, await write);
        }
        using var reader = Open();
        Assert.Equal(30L, reader.Number("SELECT count(*) FROM t WHERE x % 4 <> 0"));
        Assert.Equal(30L, reader.Number("SELECT count(*) FROM t"));
    }

    private Database Open() => Database.Open(_folder.File("writer.db"), SqliteOpenMode.ReadWriteCreate, TimeSpan.FromSeconds(10));
}
