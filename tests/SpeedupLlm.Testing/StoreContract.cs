using SpeedupLlm.Experience;

namespace SpeedupLlm.Testing;

/// <summary>What every <see cref="IExperienceStore"/> promises. A store's tests derive from it.</summary>
public abstract partial class StoreContract : StoreSamples
{
    /// <summary>A new, empty store.</summary>
    protected abstract ValueTask<IExperienceStore> OpenAsync();
}
