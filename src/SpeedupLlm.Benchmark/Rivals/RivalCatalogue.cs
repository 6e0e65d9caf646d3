using SpeedupLlm.Memory;

namespace SpeedupLlm.Benchmark.Rivals;

/// <summary>Rules of other works, rebuilt to be measured beside the memories of the library; not for use.</summary>
public static class RivalCatalogue
{
    /// <summary>Their names: a cache with a fixed threshold (GPTCache), one with a threshold an entry (vCache, arXiv 2502.03771), and a running text curated by the model (Dynamic Cheatsheet, arXiv 2504.07952).</summary>
    public static IReadOnlyList<string> Names { get; } = [FixedThresholdCache.CatalogueName, EntryThresholdCache.CatalogueName, DynamicCheatsheet.CatalogueName];

    /// <summary>The rival of that name, or null.</summary>
    internal static IMemory? Find(string name) => name switch
    {
        FixedThresholdCache.CatalogueName => new FixedThresholdCache(),
        EntryThresholdCache.CatalogueName => new EntryThresholdCache(),
        DynamicCheatsheet.CatalogueName => new DynamicCheatsheet(),
        _ => null,
    };
}
