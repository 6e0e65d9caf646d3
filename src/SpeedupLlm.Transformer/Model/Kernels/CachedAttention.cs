namespace SpeedupLlm.Transformer.Model.Kernels;

/// <summary>Causal attention of new rows over keys and values in a cache of blocks, with the bits of <see cref="Attention"/>.</summary>
/// <remarks>
/// A block holds 32 positions of one layer: keys per head as [Heads][D][32], then values as [32][C]. Position t of a sequence is slot t % 32 of its block t / 32.
/// What a block holds past the last position is never used, but must be finite.
/// </remarks>
internal static unsafe class CachedAttention
{
    /// <summary>Positions of one block.</summary>
    public const int BlockPositions = Tiles.Columns;

    /// <summary>Floats of one block of one layer.</summary>
    public static int BlockFloats(ModelShape shape) => 2 * BlockPositions * shape.Width;

    /// <summary>Floats of scratch for up to 8 rows that see <paramref name="positions"/> positions.</summary>
    public static int ScratchFloats(int positions) => Tiles.Rows * Attention.ScoreRow(positions);

    /// <summary>Puts the key and value of one row (3·C: q, k, v; turned) into its slot.</summary>
    public static void Store(ModelShape shape, float* block, int slot, float* qkv)
    {
        var width = shape.Width;
        float* k = qkv + width, v = k + width;
        for (var c = 0; c < width; c++)
            block[c * BlockPositions + slot] = k[c];
        new ReadOnlySpan<float>(v, width).CopyTo(new(block + (nint)(BlockPositions + slot) * width, width));
    }

    /// <summary>o (rows, C) of 1 to 8 rows of one sequence at positions first, first + 1, …, whose keys and values are stored already.</summary>
    /// <remarks>qkv (rows, 3·C); blocks are the sequence's blocks of this layer in order; o has rows oRow apart.</remarks>
    public static void Forward<TLanes>(ModelShape shape, float* qkv, int rows, int first, float** blocks, float* o, nint oRow, float* scratch)
        where TLanes : unmanaged, ILanes<TLanes>
    {
        int width = shape.Width, head = shape.Head, row = 3 * width, seen = first + rows;
        var stride = Attention.ScoreRow(seen);
        var padded = (seen + BlockPositions - 1) / BlockPositions * BlockPositions;
        var inverse = stackalloc float[Tiles.Rows];
        for (var h = 0; h < shape.Heads; h++)
        {
            var at = h * head;
            for (var j = 0; j < seen; j += BlockPositions)
                Tiles.Multiply<TLanes>(rows, head, qkv + at, row, 1, blocks[j / BlockPositions] + (nint)at * BlockPositions, BlockPositions, scratch + j, stride);
            for (var m = 0; m < rows; m++)
                inverse[m] = Softmax.Exponentials<TLanes>(scratch + (nint)m * stride, first + m + 1, padded).Inverse;
            for (var d = at; d < at + head; d += Tiles.Columns)
            {
                for (var j = 0; j < seen; j += BlockPositions)
                {
                    Tiles.Multiply<TLanes>(
                        rows, Math.Min(BlockPositions, seen - j), scratch + j, stride, 1,
                        blocks[j / BlockPositions] + (nint)BlockPositions * width + d, width, o + d, oRow, accumulate: j > 0);
                }
            }

            for (var m = 0; m < rows; m++)
                Softmax.Scale<TLanes>(o + m * oRow + at, head, inverse[m]);
        }
    }
}
