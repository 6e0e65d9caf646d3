namespace SpeedupLlm.Transformer.Adapter;

/// <summary>
/// Counts cached input as a provider's prompt cache would bill it: the longest prefix that a prompt shares with an earlier call (its prompt and what it
/// generated) of the same scope. A function of the scope's own calls, whatever the machine's cache held. Thread-safe.
/// </summary>
internal sealed class LogicalPrefixes
{
    // far above what is alive together: a scope that is still used is never the one that goes
    private const int MostScopes = 1024;
    private const int MostTokens = 1 << 20;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, LinkedListNode<Scope>> _scopes = new(StringComparer.Ordinal);
    private readonly LinkedList<Scope> _recent = [];

    /// <summary>How many of the prompt's tokens are known in the scope, or in one that encloses it: <c>a</c> encloses <c>a/b</c>.</summary>
    public int Count(string scope, ReadOnlySpan<int> prompt)
    {
        var known = 0;
        lock (_lock)
        {
            for (var end = scope.Length; end > 0; end = scope.LastIndexOf('/', end - 1))
            {
                if (_scopes.TryGetValue(scope[..end], out var place))
                    known = Math.Max(known, Walk(place.Value.Root, prompt).Known);
            }
        }
        return known;
    }

    /// <summary>Remembers a call.</summary>
    public void Add(string scope, ReadOnlySpan<int> tokens)
    {
        lock (_lock)
        {
            if (!_scopes.TryGetValue(scope, out var place))
                _scopes[scope] = place = new(new(scope));
            else
                _recent.Remove(place);
            _recent.AddFirst(place);
            if (place.Value.Tokens > MostTokens)
                place.Value.Clear(); // bounded, and by the scope's own calls only
            place.Value.Tokens += Insert(place.Value.Root, tokens);
            if (_scopes.Count > MostScopes)
            {
                _scopes.Remove(_recent.Last!.Value.Name);
                _recent.RemoveLast();
            }
        }
    }

    /// <summary>How far the tree knows the tokens, the last node reached, and how much of that node's run is matched.</summary>
    private static (int Known, Node Node, int InRun) Walk(Node node, ReadOnlySpan<int> tokens)
    {
        var known = 0;
        while (known < tokens.Length && node.Next is { } next && next.TryGetValue(tokens[known], out var child))
        {
            var common = tokens[known..].CommonPrefixLength(child.Run);
            known += common;
            node = child;
            if (common < child.Run.Length)
                return (known, node, common);
        }
        return (known, node, node.Run.Length);
    }

    private static int Insert(Node root, ReadOnlySpan<int> tokens)
    {
        var (known, node, inRun) = Walk(root, tokens);
        if (known == tokens.Length)
            return 0;
        if (inRun < node.Run.Length)
        {
            var rest = new Node(node.Run[inRun..]) { Next = node.Next };
            node.Run = node.Run[..inRun];
            node.Next = new() { [rest.Run[0]] = rest };
        }
        (node.Next ??= [])[tokens[known]] = new Node(tokens[known..].ToArray());
        return tokens.Length - known;
    }

    /// <summary>A run of tokens in a radix tree.</summary>
    private sealed class Node(int[] run)
    {
        public int[] Run { get; set; } = run;
        public Dictionary<int, Node>? Next { get; set; }
    }

    private sealed class Scope(string name)
    {
        public string Name => name;
        public Node Root { get; private set; } = new([]);
        public int Tokens { get; set; }

        public void Clear() => (Root, Tokens) = (new([]), 0);
    }
}
