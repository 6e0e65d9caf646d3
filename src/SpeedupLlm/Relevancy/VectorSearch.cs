namespace SpeedupLlm.Relevancy;

/// <summary>What a search asks of a store. Both are called for few rows only.</summary>
internal interface IRowSource
{
    /// <summary>The exact cosine of a row and the query, or null if the row is not there (any more) or may not be seen.</summary>
    double? Similarity(long row);

    /// <summary>What breaks ties.</summary>
    string IdOf(long row);
}

/// <summary>Which rows count.</summary>
/// <param name="Owners">Whose rows, or null for all.</param>
/// <param name="UsableOnly">Only rows that may be reused.</param>
internal sealed record RowFilter(IReadOnlySet<int>? Owners, bool UsableOnly)
{
    /// <summary>Whether a row counts.</summary>
    public bool Takes(RowState state, int owner) =>
        state >= (UsableOnly ? RowState.Usable : RowState.Unusable) && Owners?.Contains(owner) != false;
}

/// <summary>
/// Exact nearest neighbours by scanning bytes: a cosine is known up to the rounding error of its row, rows that cannot be among the best are left out,
/// the rest is narrowed by the fine plane, and what remains is compared in full precision. The same rows in the same order as a full scan, ties by id.
/// </summary>
internal static class VectorSearch
{
    // integer products are exact; this covers the double arithmetic around them and that of the exact cosine
    private const double Slack = 1e-9;

    // 16,384 rows: below that starting another core costs more than it saves
    private const int BlocksOfPart = 16;

    /// <summary>A row that may be among the nearest, and what its cosine is at least and at most; in the tail (no block) both are the cosine.</summary>
    private readonly record struct Candidate(long Row, int? Block, int Index, double Lower, double Upper, Twin Twin);

    /// <summary>The nearest rows of blocks and tail, best first.</summary>
    /// <param name="blocks">Quantized rows.</param>
    /// <param name="tail">Rows that no block has yet; compared in full precision.</param>
    /// <param name="query">The query.</param>
    /// <param name="count">How many at most, ≥ 1.</param>
    /// <param name="filter">Which rows count.</param>
    /// <param name="source">Gives exact cosines.</param>
    /// <exception cref="VectorBlockException">A block is damaged.</exception>
    public static IReadOnlyList<Found> Nearest(
        IReadOnlyList<VectorBlock> blocks, IReadOnlyList<VectorEntry> tail, QuantizedQuery query, int count, RowFilter filter, IRowSource source)
    {
        var best = new BestRows(count, source.IdOf);
        foreach (var candidate in Near(blocks, tail, query, count, filter))
        {
            if (candidate.Upper < best.Least)
                break;
            if ((candidate.Block is null ? candidate.Upper : source.Similarity(candidate.Row)) is { } similarity)
                best.Offer(new(candidate.Row, similarity));
        }
        return best.InOrder();
    }

    /// <summary>The rows that may be among the nearest, by what their cosine is at most, highest first: for stores whose records are far away. All that have a place in the answer are there, and few others.</summary>
    /// <param name="blocks">Quantized rows.</param>
    /// <param name="tail">Rows that no block has yet.</param>
    /// <param name="query">The query.</param>
    /// <param name="count">How many are wanted, ≥ 1.</param>
    /// <param name="filter">Which rows count.</param>
    /// <exception cref="VectorBlockException">A block is damaged.</exception>
    public static List<Found> Candidates(IReadOnlyList<VectorBlock> blocks, IReadOnlyList<VectorEntry> tail, QuantizedQuery query, int count, RowFilter filter) =>
        Near(blocks, tail, query, count, filter).ConvertAll(c => new Found(c.Row, c.Upper));

    private static List<Candidate> Near(IReadOnlyList<VectorBlock> blocks, IReadOnlyList<VectorEntry> tail, QuantizedQuery query, int count, RowFilter filter)
    {
        var threshold = new Threshold(count, double.NegativeInfinity);
        var found = new List<Candidate>();
        foreach (var entry in tail)
        {
            if (!filter.Takes(entry.State, entry.Owner))
                continue;
            var similarity = Cosine.Similarity(query.Vector.Span, query.Norm, entry.Vector.Span, entry.Norm);
            threshold.Offer(similarity);
            if (similarity >= threshold.Value)
                found.Add(new(entry.Row, null, 0, similarity, similarity, entry.Twin));
        }
        found.AddRange(Scan(blocks, query, count, filter, threshold.Value));
        var near = Narrow(blocks, query, count, Twin.Trim(found, count, c => c.Twin), threshold.Value);
        near.Sort((x, y) => y.Upper.CompareTo(x.Upper));
        GC.KeepAlive(blocks); // mapped blocks go with their last reference
        return near;
    }

    /// <summary>Large scans wait for memory, not for arithmetic: two cores read nearly twice as fast as one.</summary>
    private static List<Candidate> Scan(IReadOnlyList<VectorBlock> blocks, QuantizedQuery query, int count, RowFilter filter, double least)
    {
        var parts = Math.Clamp(blocks.Count / BlocksOfPart, 1, Environment.ProcessorCount);
        if (parts == 1)
            return Scan(blocks, 0, blocks.Count, query, count, filter, new(count, least));
        var found = new List<Candidate>[parts];
        Parallel.For(0, parts, part =>
            found[part] = Scan(blocks, (int)((long)blocks.Count * part / parts), (int)((long)blocks.Count * (part + 1) / parts), query, count, filter, new(count, least)));
        // what no part could leave out alone
        var threshold = new Threshold(count, least);
        foreach (var candidate in found.SelectMany(f => f))
            threshold.Offer(candidate.Lower);
        return [.. found.SelectMany(f => f).Where(c => c.Upper >= threshold.Value)];
    }

    private static List<Candidate> Scan(
        IReadOnlyList<VectorBlock> blocks, int from, int to, QuantizedQuery query, int count, RowFilter filter, Threshold threshold)
    {
        var candidates = new List<Candidate>();
        Span<int> dots = stackalloc int[VectorBlock.Rows];
        for (var b = from; b < to; b++)
        {
            var block = blocks[b];
            var owners = block.Owners;
            if (filter.Owners is not null && !AnyTaken(block, owners, filter))
                continue;
            DotKernel.Dots(block.Coarse, query.Values, dots);
            var scales = block.Scales;
            var errors = block.Errors;
            for (var i = 0; i < dots.Length; i++)
            {
                var cosine = dots[i] * (scales[i] * query.Scale);
                var error = errors[i] + (1 + errors[i]) * query.Error + Slack;
                if (cosine + error < threshold.Value || !filter.Takes(block.States[i], owners[i]))
                    continue;
                candidates.Add(new(block.Numbers[i], b, i, cosine - error, cosine + error, block.Twins[i]));
                threshold.Offer(cosine - error);
            }
        }
        candidates.RemoveAll(c => c.Upper < threshold.Value);
        return candidates;
    }

    private static List<Candidate> Narrow(IReadOnlyList<VectorBlock> blocks, QuantizedQuery query, int count, List<Candidate> coarse, double least)
    {
        if (coarse.Count <= count)
            return coarse;
        var threshold = new Threshold(count, least);
        var fine = new List<Candidate>(coarse.Count);
        foreach (var candidate in coarse)
        {
            var narrowed = candidate.Block is { } block ? Narrow(blocks[block], query, candidate) : candidate;
            fine.Add(narrowed);
            threshold.Offer(narrowed.Lower);
        }
        fine.RemoveAll(c => c.Upper < threshold.Value);
        return fine;
    }

    private static Candidate Narrow(VectorBlock block, QuantizedQuery query, Candidate candidate)
    {
        var i = candidate.Index;
        if (!block.IsFineSound(i))
            throw new VectorBlockException();
        var stride = query.Values.Length;
        Span<int> dot = stackalloc int[1];
        DotKernel.Dots(block.Fine.Slice(i * stride, stride), query.Values, dot);
        var coarseError = block.Errors[i] + (1 + block.Errors[i]) * query.Error + Slack;
        var cosine = (candidate.Lower + coarseError) + dot[0] * (block.Scales[i] * query.Scale / VectorBlock.FineSteps);
        var error = block.FineErrors[i] + (1 + block.FineErrors[i]) * query.Error + Slack;
        // both bounds hold
        return candidate with { Lower = Math.Max(candidate.Lower, cosine - error), Upper = Math.Min(candidate.Upper, cosine + error) };
    }

    private static bool AnyTaken(VectorBlock block, ReadOnlySpan<int> owners, RowFilter filter)
    {
        for (var i = 0; i < owners.Length; i++)
        {
            if (filter.Takes(block.States[i], owners[i]))
                return true;
        }
        return false;
    }

    /// <summary>The count-th best lower bound so far: what cannot reach it is out.</summary>
    private sealed class Threshold(int count, double least)
    {
        private readonly PriorityQueue<double, double> _best = new();

        public double Value { get; private set; } = least;

        public void Offer(double lower)
        {
            if (_best.Count < count)
                _best.Enqueue(lower, lower);
            else if (lower > _best.Peek())
                _best.DequeueEnqueue(lower, lower);
            if (_best.Count == count)
                Value = Math.Max(Value, _best.Peek());
        }
    }
}

/// <summary>A block is not as it was written; it must be made again from the records.</summary>
internal sealed class VectorBlockException() : Exception("A block of vectors is damaged.");
