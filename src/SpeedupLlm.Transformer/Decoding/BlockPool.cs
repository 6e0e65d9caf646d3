using SpeedupLlm.Transformer.Model;
using SpeedupLlm.Transformer.Model.Kernels;

namespace SpeedupLlm.Transformer.Decoding;

/// <summary>Keys and values of <see cref="Positions"/> consecutive tokens in all layers; shared by sequences once it is full.</summary>
internal sealed unsafe class KvBlock(float* data)
{
    /// <summary>Tokens in a block.</summary>
    public const int Positions = CachedAttention.BlockPositions;

    private int _owners;

    /// <summary>The values, 64-byte aligned; layer after layer as in <see cref="CachedAttention"/>.</summary>
    public float* Data => data;

    /// <summary>Sequences and caches that hold the block.</summary>
    public int Owners => Volatile.Read(ref _owners);

    public void Hold() => Interlocked.Increment(ref _owners);

    /// <summary>Whether nobody holds it any more.</summary>
    public bool LetGo() => Interlocked.Decrement(ref _owners) == 0;
}

/// <summary>Hands out key-value blocks and takes them back. Thread-safe.</summary>
internal sealed unsafe class BlockPool(int floatsPerBlock) : IDisposable
{
    private const int BlocksPerSlab = 32;
    private readonly Lock _lock = new();
    private readonly Stack<KvBlock> _free = new();
    private readonly List<FloatBuffer> _slabs = []; // the blocks point into them

    /// <summary>Blocks that somebody holds.</summary>
    public int InUse
    {
        get
        {
            lock (_lock)
                return _slabs.Count * BlocksPerSlab - _free.Count;
        }
    }

    /// <summary>A block with one owner; its content is anything.</summary>
    public KvBlock Take()
    {
        lock (_lock)
        {
            if (_free.Count == 0)
                Grow();
            var block = _free.Pop();
            block.Hold();
            return block;
        }
    }

    /// <summary>Gives up one ownership.</summary>
    public void Release(KvBlock block)
    {
        if (!block.LetGo())
            return;
        lock (_lock)
            _free.Push(block);
    }

    /// <summary>Frees the memory; blocks still in use must not be touched any more.</summary>
    public void Dispose()
    {
        lock (_lock)
            foreach (var slab in _slabs)
                slab.Dispose();
    }

    private void Grow()
    {
        var slab = new FloatBuffer((long)floatsPerBlock * BlocksPerSlab);
        _slabs.Add(slab);
        for (var i = BlocksPerSlab - 1; i >= 0; i--)
            _free.Push(new KvBlock(slab.Pointer + (nint)i * floatsPerBlock));
    }
}
