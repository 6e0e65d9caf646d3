using SpeedupLlm.Testing;

namespace SpeedupLlm.Sqlite.Tests;

public sealed class TenantTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Lookups_OfMixedTenantsInTwoProcesses_YieldNoForeignHit()
    {
        await using var one = await SqliteStore.OpenAsync(_folder.File("experience.db"), null, CancellationToken.None);
        await using var other = await SqliteStore.OpenAsync(_folder.File("experience.db"), null, CancellationToken.None);
        await MixedTenants.AssertNoForeignHitAsync([one, other], MixedTenants.Lookups(5000));
    }
}
