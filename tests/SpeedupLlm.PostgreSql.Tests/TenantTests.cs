using SpeedupLlm.Testing;

namespace SpeedupLlm.PostgreSql.Tests;

public sealed class TenantTests
{
    [Fact]
    public async Task Lookups_OfMixedTenantsOnTwoReplicas_YieldNoForeignHit()
    {
        var address = await (await PostgresServer.SharedAsync()).DatabaseAsync();
        await using var one = await PostgreSqlStore.OpenAsync(address, null, CancellationToken.None);
        // lets indexes go again and again
        await using var other = await PostgreSqlStore.OpenAsync(address, new() { IndexMemory = 40_000 }, CancellationToken.None);
        await MixedTenants.AssertNoForeignHitAsync([one, other], MixedTenants.Lookups(2000));
    }
}
