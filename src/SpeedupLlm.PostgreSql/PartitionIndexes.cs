using System.Collections.Concurrent;
using SpeedupLlm.Experience;

namespace SpeedupLlm.PostgreSql;

/// <summary>The indexes of this process, the least used of which are let go. Thread-safe.</summary>
internal sealed class PartitionIndexes(Database database, PostgreSqlStoreOptions options)
{
    private readonly ConcurrentDictionary<long, PartitionIndex> _indexes = new();

    /// <summary>A partition's index.</summary>
    public PartitionIndex Of(long partition, int dimensions) => _indexes.GetOrAdd(partition, p => new(database, p, dimensions, options));

    /// <summary>Something was committed by this process: the next look-up sees it.</summary>
    public void Ring(IEnumerable<long> partitions)
    {
        foreach (var partition in partitions)
        {
            if (_indexes.TryGetValue(partition, out var index))
                index.Ring();
        }
    }

    /// <summary>Something was committed elsewhere, in these partitions or (null) who knows where; indexes that are named catch up now, so that no question waits for it.</summary>
    public void Hear(IReadOnlyCollection<long>? partitions)
    {
        Ring(partitions ?? (IEnumerable<long>)_indexes.Keys);
        foreach (var partition in partitions ?? [])
        {
            if (_indexes.TryGetValue(partition, out var index) && index.IsLoaded)
                _ = WarmAsync(index);
        }
    }

    /// <summary>Lets indexes go until the rest fits, the longest unused first, never the one in use.</summary>
    public void Trim(PartitionIndex inUse)
    {
        var total = _indexes.Values.Sum(i => i.Bytes);
        if (total <= options.IndexMemory)
            return;
        foreach (var (partition, index) in _indexes.Where(i => i.Value != inUse && i.Value.IsLoaded).OrderBy(i => i.Value.UsedAt))
        {
            if (_indexes.TryRemove(new(partition, index)))
                total -= index.Bytes;
            if (total <= options.IndexMemory)
                return;
        }
    }

    private static async Task WarmAsync(PartitionIndex index)
    {
        try
        {
            await index.CatchUpAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (e is StoreDegradedException or StoreFormatException or StoreCorruptException or ObjectDisposedException)
        {
            // the next look-up says so
        }
    }
}
