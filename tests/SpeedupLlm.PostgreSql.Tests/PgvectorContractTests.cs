using SpeedupLlm.Compute;
using SpeedupLlm.Experience;
using SpeedupLlm.Relevancy;
using SpeedupLlm.Testing;

namespace SpeedupLlm.PostgreSql.Tests;

/// <summary>The whole contract where pgvector searches.</summary>
public sealed class PgvectorContractTests(PgvectorContractTests.Server server) : StoreContract, IClassFixture<PgvectorContractTests.Server>
{
    /// <summary>xunit wants a public one.</summary>
    public sealed class Server : IAsyncLifetime
    {
        private readonly Pglite _pglite = new();

        internal Pglite Pglite => _pglite;

        public Task InitializeAsync() => _pglite.InitializeAsync();

        public Task DisposeAsync() => _pglite.DisposeAsync();
    }

    protected override async ValueTask<IExperienceStore> OpenAsync()
    {
        // PGlite lets a connection go a moment after it was closed, and the next one fails until then
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await server.Pglite.EmptyAsync();
                return await PostgreSqlStore.OpenAsync(server.Pglite.Address, null, None);
            }
            catch (Exception e) when (attempt < 20 && e is Npgsql.NpgsqlException or ObjectDisposedException or StoreDegradedException)
            {
                await Task.Delay(100 * attempt);
            }
        }
    }

    [Fact]
    public async Task NearestAsync_NearlyEqualVectors_AreOrderedInDoublePrecision()
    {
        await using var store = await OpenAsync();
        var random = new StreamRandom(StreamKey.Root(9));
        // further apart than double precision, nearer than single precision can tell
        float[] centre = RandomUnit(random, 256);
        var vectors = Enumerable.Range(0, 120).ToDictionary(i => $"e{i}", _ => centre.Select(x => x * (1 + 1e-6f * (float)random.NextDouble())).ToArray());
        await Task.WhenAll(vectors.Select(v => store.AppendAsync(EpisodeOf(v.Key, v.Value), None).AsTask()));
        var norm = Cosine.Norm(centre)!.Value;
        var expected = vectors
            .OrderByDescending(v => Cosine.Similarity(centre, norm, v.Value, Cosine.Norm(v.Value)!.Value)).ThenBy(v => v.Key, StringComparer.Ordinal).Take(7).Select(v => v.Key);
        Assert.Equal(expected, Ids(await store.NearestAsync(See(), centre, 7, None)));
    }

    [Fact]
    public async Task NearestAsync_VectorsOfExtremeLength_AreFoundAsTheyAre()
    {
        await using var store = await OpenAsync();
        await store.AppendAsync(EpisodeOf("huge", [1e25f, 0, 0, 0]), None);
        await store.AppendAsync(EpisodeOf("tiny", [1e-30f, 1e-31f, 0, 0]), None);
        await store.AppendAsync(EpisodeOf("plain", [1, 1, 0, 0]), None);
        Assert.Equal(["huge", "tiny", "plain"], Ids(await store.NearestAsync(See(), new float[] { 1e-20f, 0, 0, 0 }, 5, None)));
        Assert.Equal(["huge"], Ids(await store.NearestAsync(See(), new float[] { 1, 0, 0, 0 }, 1, None)));
    }
}
