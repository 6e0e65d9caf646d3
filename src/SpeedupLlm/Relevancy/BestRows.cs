namespace SpeedupLlm.Relevancy;

/// <summary>Keeps the best rows of those offered: by similarity, ties by id. The result does not depend on the order of offering.</summary>
internal sealed class BestRows : IComparer<Found>
{
    private readonly int _count;
    private readonly Func<long, string> _idOf;
    private readonly Dictionary<long, string> _ids = [];
    private readonly PriorityQueue<Found, Found> _worstFirst;

    public BestRows(int count, Func<long, string> idOf)
    {
        _count = count;
        _idOf = idOf;
        _worstFirst = new(Comparer<Found>.Create((x, y) => Compare(y, x)));
    }

    /// <summary>A row below this cannot get in any more; one that is equal may, by its id.</summary>
    public double Least => _worstFirst.Count < _count ? double.NegativeInfinity : _worstFirst.Peek().Similarity;

    /// <summary>Takes a row if it is among the best so far.</summary>
    public void Offer(Found row)
    {
        if (_worstFirst.Count < _count)
            _worstFirst.Enqueue(row, row);
        else if (Compare(row, _worstFirst.Peek()) < 0)
            _worstFirst.DequeueEnqueue(row, row);
    }

    /// <summary>The rows, best first.</summary>
    public IReadOnlyList<Found> InOrder() => [.. _worstFirst.UnorderedItems.Select(i => i.Element).Order(this)];

    /// <summary>Ids are looked up for ties only, and once.</summary>
    public int Compare(Found x, Found y) =>
        x.Similarity != y.Similarity ? y.Similarity.CompareTo(x.Similarity) : x.Row == y.Row ? 0 : string.CompareOrdinal(IdOf(x.Row), IdOf(y.Row));

    private string IdOf(long row)
    {
        if (!_ids.TryGetValue(row, out var id))
            _ids.Add(row, id = _idOf(row));
        return id;
    }
}
