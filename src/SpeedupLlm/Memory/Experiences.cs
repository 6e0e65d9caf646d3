using SpeedupLlm.Experience;

namespace SpeedupLlm.Memory;

/// <summary>Where a solver's experience is kept: one store at the long-term horizon, one a conversation at the short-term horizon. Thread-safe.</summary>
internal sealed class Experiences : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly SolverOptions _options;
    private readonly IExperienceStore? _longTerm;
    private readonly bool _owned;
    private readonly Dictionary<Caller, LinkedListNode<Conversation>> _conversations = [];
    private readonly LinkedList<Conversation> _byUse = [];

    public Experiences(SolverOptions options)
    {
        _options = options;
        _owned = options is { Horizon: Horizon.LongTerm, Store: null, Memory: not null };
        _longTerm = _owned ? new InMemoryStore() : options.Store;
    }

    private sealed record Conversation(Caller Caller, IExperienceStore Store);

    /// <summary>The store for a scope, or null if nothing is kept.</summary>
    public IExperienceStore? Of(Scope scope) => _options.Horizon == Horizon.LongTerm ? _longTerm : OfConversation(new(scope.Tenant, scope.User, scope.Conversation));

    /// <summary>Forgets a conversation of the short-term horizon.</summary>
    public async ValueTask EndAsync(Caller caller)
    {
        IExperienceStore? store = null;
        lock (_lock)
        {
            if (_conversations.Remove(caller, out var node))
            {
                _byUse.Remove(node);
                store = node.Value.Store;
            }
        }
        if (store is not null)
            await store.DisposeAsync().ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        if (_owned && _longTerm is not null)
            await _longTerm.DisposeAsync().ConfigureAwait(false);
        List<Caller> callers;
        lock (_lock)
            callers = [.. _conversations.Keys];
        foreach (var caller in callers)
            await EndAsync(caller).ConfigureAwait(false);
    }

    private IExperienceStore? OfConversation(Caller caller)
    {
        if (_options.Memory is null)
            return null;
        lock (_lock)
        {
            if (_conversations.TryGetValue(caller, out var node))
            {
                _byUse.Remove(node);
                _byUse.AddFirst(node);
                return node.Value.Store;
            }
            if (_conversations.Count == _options.ShortTermConversations && _byUse.Last is { } oldest)
            {
                // not disposed: a question of that conversation may still be under way, and the store holds nothing but memory
                _conversations.Remove(oldest.Value.Caller);
                _byUse.RemoveLast();
            }
            node = _byUse.AddFirst(new Conversation(caller, new InMemoryStore(new() { MaxEpisodes = _options.ShortTermEpisodes })));
            _conversations.Add(caller, node);
            return node.Value.Store;
        }
    }
}
