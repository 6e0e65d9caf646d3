using SpeedupLlm.Benchmark.Results;

namespace SpeedupLlm.Benchmark.Statistics;

/// <summary>The paper's grid (arXiv 2505.20643) and the order in which cells are shown.</summary>
internal static class GridOrder
{
    public static IReadOnlyList<string> Similarities { get; } = ["S1", "S2", "S3", "S4"];

    public static IReadOnlyList<string> ScalingMethods { get; } = ["best-of-n", "tree-of-thoughts", "self-refine", "long-cot"];

    public static IReadOnlyList<string> Memories { get; } = ["sft", "in-context", "reflect", "multi-reflect", "reflect-update"];

    /// <summary>How many cells the paper compares with no memory.</summary>
    public static int PaperCells => Similarities.Count * ScalingMethods.Count * Memories.Count;

    /// <summary>Whether a cell is one of the paper's 80.</summary>
    public static bool IsPaperCell(CellKey key) =>
        Similarities.Contains(key.Similarity) && ScalingMethods.Contains(key.Scaling) && Memories.Contains(key.Memory);

    public static (int, string) Scaling(string name) => Rank(ScalingMethods, name);

    public static (int, string) Memory(string name) => name == CellKey.NoMemory ? (-1, name) : Rank(Memories, name);

    private static (int, string) Rank(IReadOnlyList<string> known, string name)
    {
        var at = known.ToList().IndexOf(name);
        return (at < 0 ? known.Count : at, name);
    }
}
