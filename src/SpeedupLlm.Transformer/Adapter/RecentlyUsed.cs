namespace SpeedupLlm.Transformer.Adapter;

/// <summary>Keeps the most recently used values by name, up to a total size; the latest stays in any case. Thread-safe.</summary>
internal sealed class RecentlyUsed<T>(long capacity, Func<T, long> sizeOf)
    where T : class
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, LinkedListNode<(string Name, T Value)>> _places = new(StringComparer.Ordinal);
    private readonly LinkedList<(string Name, T Value)> _recent = [];
    private long _size;

    public int Count
    {
        get
        {
            lock (_lock)
                return _places.Count;
        }
    }

    public T? Find(string name)
    {
        lock (_lock)
        {
            if (!_places.TryGetValue(name, out var place))
                return null;
            _recent.Remove(place);
            _recent.AddFirst(place);
            return place.Value.Value;
        }
    }

    public void Put(string name, T value) => FindOrPut(name, () => value);

    /// <summary>The value there is, or else the new one; <paramref name="make"/> must be quick.</summary>
    public T FindOrPut(string name, Func<T> make)
    {
        lock (_lock)
        {
            if (Find(name) is { } there)
                return there;
            var value = make();
            _places[name] = _recent.AddFirst((name, value));
            _size += sizeOf(value);
            while (_size > capacity && _places.Count > 1)
                Remove(_recent.Last!.Value.Name);
            return value;
        }
    }

    public void Remove(string name)
    {
        lock (_lock)
        {
            if (!_places.Remove(name, out var place))
                return;
            _recent.Remove(place);
            _size -= sizeOf(place.Value.Value);
        }
    }
}
