using SpeedupLlm.Experience;
using SpeedupLlm.Testing;

namespace SpeedupLlm.PostgreSql.Tests;

public sealed class PostgreSqlStoreContractTests : StoreContract
{
    protected override async ValueTask<IExperienceStore> OpenAsync()
    {
        var server = await PostgresServer.SharedAsync();
        return await PostgreSqlStore.OpenAsync(await server.DatabaseAsync(), null, None);
    }
}
