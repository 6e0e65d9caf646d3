using System.Runtime.InteropServices;

namespace SpeedupLlm.Relevancy;

/// <summary>Rows of one length in the order of their numbers: full blocks, then a tail in full precision. Not thread-safe.</summary>
/// <param name="dimensions">The length of the vectors.</param>
/// <param name="waiting">So many rows stay in the tail when a block is made, because rows with smaller numbers may still come.</param>
internal sealed class VectorRows(int dimensions, int waiting = 0)
{
    private static readonly Comparer<VectorEntry> ByRow = Comparer<VectorEntry>.Create((x, y) => x.Row.CompareTo(y.Row));

    /// <summary>Rising row numbers, also from block to block.</summary>
    public List<VectorBlock> Blocks { get; } = [];

    /// <summary>Rising row numbers; those that came too late for their block are here as well.</summary>
    public List<VectorEntry> Tail { get; } = [];

    /// <summary>Adds a row that is not there yet; says whether that made a block.</summary>
    public bool Add(VectorEntry entry)
    {
        var at = Tail.Count == 0 || Tail[^1].Row < entry.Row ? Tail.Count : ~Tail.BinarySearch(entry, ByRow);
        Tail.Insert(at, entry);
        var late = Blocks.Count == 0 ? 0 : ~Tail.BinarySearch(At(Blocks[^1].Numbers[^1]), ByRow);
        if (Tail.Count - late < VectorBlock.Rows + waiting)
            return false;
        Blocks.Add(VectorBlock.Of(CollectionsMarshal.AsSpan(Tail).Slice(late, VectorBlock.Rows), dimensions));
        Tail.RemoveRange(late, VectorBlock.Rows);
        return true;
    }

    /// <summary>Changes a row's state, if it is there; says whether it is in a block, where a forgotten row takes its place still.</summary>
    public bool Set(long row, RowState state)
    {
        var at = IndexInTail(row);
        if (at >= 0)
        {
            if (state == RowState.Forgotten)
                Tail.RemoveAt(at);
            else
                Tail[at] = Tail[at] with { State = state };
            return false;
        }
        if (Find(row) is not var (block, index))
            return false;
        block.States[index] = state;
        return true;
    }

    /// <summary>Whether a row has a place here, forgotten or not.</summary>
    public bool Contains(long row) => IndexInTail(row) >= 0 || Find(row) is not null;

    /// <summary>Takes all rows out.</summary>
    public void Clear()
    {
        Blocks.Clear();
        Tail.Clear();
    }

    private static VectorEntry At(long row) => default(VectorEntry) with { Row = row };

    private int IndexInTail(long row) => Tail.BinarySearch(At(row), ByRow);

    /// <summary>The last block that begins at or before the row has it, or none.</summary>
    private (VectorBlock Block, int Index)? Find(long row)
    {
        int low = 0, high = Blocks.Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (Blocks[middle].Numbers[0] <= row)
                low = middle + 1;
            else
                high = middle;
        }
        return low > 0 && Blocks[low - 1].IndexOf(row) is >= 0 and var index ? (Blocks[low - 1], index) : null;
    }
}
