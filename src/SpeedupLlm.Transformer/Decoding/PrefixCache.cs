using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SpeedupLlm.Transformer.Decoding;

/// <summary>
/// A trie of full key-value blocks by the tokens that led to them (as RadixAttention, arXiv:2312.07104, at block granularity):
/// a prompt that begins like an earlier one takes over its blocks. Bounded; the least recently used leaf goes first. Thread-safe.
/// </summary>
/// <remarks>What is taken over has the bits that computing it again would give, so results do not depend on what is cached.</remarks>
internal sealed class PrefixCache(BlockPool pool, int capacity)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<Key, Node> _nodes = [];
    private readonly LinkedList<Node> _recent = []; // most recent first; a node always comes before its children
    private long _lastId;

    /// <summary>Blocks held.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
                return _nodes.Count;
        }
    }

    /// <summary>Adds the blocks of the longest known prefix to <paramref name="blocks"/>, held for the caller; at most <paramref name="maximum"/> of them.</summary>
    /// <remarks>The root is a negative number that names the weights: prefixes are shared under one root only.</remarks>
    public void Match(long root, ReadOnlySpan<int> tokens, int maximum, List<KvBlock> blocks)
    {
        lock (_lock)
        {
            var (parent, last) = (root, default(Node));
            for (var i = 0; i < maximum && _nodes.TryGetValue(new Key(parent, tokens.Slice(i * KvBlock.Positions, KvBlock.Positions)), out var node); i++)
            {
                node.Block.Hold();
                blocks.Add(node.Block);
                (parent, last) = (node.Id, node);
            }
            Touch(last);
        }
    }

    /// <summary>
    /// Offers the full blocks of a sequence; those that are new are held from now on. For a place that is already taken nothing changes,
    /// both blocks have the same content.
    /// </summary>
    public void Insert(long root, ReadOnlySpan<int> tokens, IReadOnlyList<KvBlock> blocks, int count)
    {
        lock (_lock)
        {
            var (parentId, parent) = (root, default(Node));
            for (var i = 0; i < count; i++)
            {
                var key = new Key(parentId, tokens.Slice(i * KvBlock.Positions, KvBlock.Positions));
                if (!_nodes.TryGetValue(key, out var node))
                {
                    blocks[i].Hold();
                    node = new Node(++_lastId, key, parent, blocks[i]);
                    _nodes.Add(key, node);
                    node.Place = _recent.AddFirst(node);
                }
                (parentId, parent) = (node.Id, node);
            }
            Touch(parent);
            while (_nodes.Count > capacity)
            {
                var oldest = _recent.Last!.Value;
                _recent.RemoveLast();
                _nodes.Remove(oldest.Key);
                pool.Release(oldest.Block);
            }
        }
    }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            foreach (var node in _recent)
                pool.Release(node.Block);
            _recent.Clear();
            _nodes.Clear();
        }
    }

    /// <summary>Moves a node and all above it to the front, the root end first: so the last of the list is always a leaf.</summary>
    private void Touch(Node? node)
    {
        for (; node is not null; node = node.Parent)
        {
            _recent.Remove(node.Place);
            _recent.AddFirst(node.Place);
        }
    }

    private sealed class Node(long id, Key key, Node? parent, KvBlock block)
    {
        public long Id => id;
        public Key Key => key;
        public Node? Parent => parent;
        public KvBlock Block => block;
        public LinkedListNode<Node> Place { get; set; } = null!;
    }

    [InlineArray(KvBlock.Positions)]
    private struct Chunk
    {
        private int _first;
    }

    /// <summary>A place in the trie: the node above and the tokens of the block.</summary>
    private readonly struct Key : IEquatable<Key>
    {
        private readonly long _parent;
        private readonly Chunk _tokens;

        public Key(long parent, ReadOnlySpan<int> tokens)
        {
            _parent = parent;
            tokens.CopyTo(_tokens);
        }

        public bool Equals(Key other) =>
            _parent == other._parent && ((ReadOnlySpan<int>)_tokens).SequenceEqual(other._tokens);

        public override bool Equals(object? obj) => obj is Key other && Equals(other);

        public override int GetHashCode()
        {
            var hash = new HashCode(); // only finds the place; no result depends on it
            hash.Add(_parent);
            hash.AddBytes(MemoryMarshal.AsBytes((ReadOnlySpan<int>)_tokens));
            return hash.ToHashCode();
        }
    }
}
