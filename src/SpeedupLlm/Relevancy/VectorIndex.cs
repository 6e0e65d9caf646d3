namespace SpeedupLlm.Relevancy;

/// <summary>A row that was found.</summary>
/// <param name="Row">The store's number of the row.</param>
/// <param name="Similarity">The exact cosine.</param>
internal readonly record struct Found(long Row, double Similarity);

/// <summary>Vectors of one length and one embedder in this process, searched exactly. Not thread-safe for writing: the store that owns it locks.</summary>
/// <param name="dimensions">The length of the vectors.</param>
/// <param name="vectorOf">The vector of a row that was added and not removed.</param>
internal sealed class VectorIndex(int dimensions, Func<long, ReadOnlyMemory<float>> vectorOf)
{
    private readonly VectorRows _rows = new(dimensions);
    private int _forgotten;

    /// <summary>Adds a row, numbered above all before. One without a direction is never found (case 34).</summary>
    public void Add(long row, int owner, bool usable, ReadOnlyMemory<float> vector, string id)
    {
        if (vector.Length != dimensions)
            throw new ArgumentException("A vector of another length.", nameof(vector));
        if (VectorEntry.Of(row, owner, StateOf(usable), vector, Twin.OrderOf(id)) is { } entry)
            _rows.Add(entry);
    }

    /// <summary>Changes whether a row may be reused.</summary>
    public void SetUsable(long row, bool usable) => _rows.Set(row, StateOf(usable));

    /// <summary>Takes a row out.</summary>
    public void Remove(long row)
    {
        if (_rows.Set(row, RowState.Forgotten) && ++_forgotten > VectorBlock.Rows && _forgotten > _rows.Blocks.Count * VectorBlock.Rows / 2)
            Compact();
    }

    /// <summary>The nearest rows, best first, ties by <paramref name="idOf"/> (ordinal). Nothing is near a query without a direction.</summary>
    public IReadOnlyList<Found> Nearest(ReadOnlyMemory<float> query, int count, RowFilter filter, Func<long, string> idOf) =>
        count > 0 && query.Length == dimensions && QuantizedQuery.Of(query) is { } quantized
            ? VectorSearch.Nearest(_rows.Blocks, _rows.Tail, quantized, count, filter, new Source(this, quantized, idOf))
            : [];

    private static RowState StateOf(bool usable) => usable ? RowState.Usable : RowState.Unusable;

    /// <summary>Drops the forgotten rows once they are the greater part.</summary>
    private void Compact()
    {
        var kept = new List<VectorEntry>();
        foreach (var block in _rows.Blocks)
        {
            for (var i = 0; i < VectorBlock.Rows; i++)
            {
                if (block.States[i] == RowState.Forgotten)
                    continue;
                var vector = vectorOf(block.Numbers[i]);
                kept.Add(new(block.Numbers[i], block.Owners[i], block.States[i], vector, Cosine.Norm(vector.Span)!.Value, block.Twins[i]));
            }
        }
        kept.AddRange(_rows.Tail);
        _rows.Clear();
        _forgotten = 0;
        foreach (var entry in kept)
            _rows.Add(entry);
    }

    private sealed class Source(VectorIndex index, QuantizedQuery query, Func<long, string> idOf) : IRowSource
    {
        public double? Similarity(long row)
        {
            var vector = index.VectorOf(row).Span;
            return Cosine.Similarity(query.Vector.Span, query.Norm, vector, Cosine.Norm(vector)!.Value);
        }

        public string IdOf(long row) => idOf(row);
    }

    private ReadOnlyMemory<float> VectorOf(long row) => vectorOf(row);
}
