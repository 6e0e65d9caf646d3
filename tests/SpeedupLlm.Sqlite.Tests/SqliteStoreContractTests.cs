using SpeedupLlm.Experience;
using SpeedupLlm.Testing;

namespace SpeedupLlm.Sqlite.Tests;

public sealed class SqliteStoreContractTests : StoreContract, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    protected override async ValueTask<IExperienceStore> OpenAsync() => await Samples.OpenAsync(_folder.File("store.db"));

    public void Dispose() => _folder.Dispose();
}
