using SpeedupLlm.Transformer.Model;
using SpeedupLlm.Transformer.Model.Kernels;

namespace SpeedupLlm.Transformer.Tests.Model.Kernels;

public sealed unsafe class CachedAttentionTests
{
    private const int Length = 77;
    private static readonly ModelShape Shape = new(2) { Width = 128, Heads = 2, Context = 128 };

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(8)]
    public void Forward_InChunksOfAnySize_BitsOfTheWholeText(int chunk)
    {
        Check<Lanes512>(chunk);
        Check<Lanes256>(chunk);
        Check<Lanes128>(chunk);
        Check<LanesScalar>(chunk);
    }

    private static void Check<TLanes>(int chunk)
        where TLanes : unmanaged, ILanes<TLanes>
    {
        var (width, row) = (Shape.Width, 3 * Shape.Width);
        using FloatBuffer qkv = GemmTests.Random(Length * row, 1), o = new(Length * width), cached = new(Length * width);
        using FloatBuffer p = new(Attention.ScoreFloats(Shape, Length)), inverse = new(Shape.Heads * Length);
        using FloatBuffer scratch = new(Attention.ScratchFloats(Shape, Length)), small = new(CachedAttention.ScratchFloats(Length));
        Attention.Forward<TLanes>(Shape, qkv.Pointer, Length, p.Pointer, inverse.Pointer, o.Pointer, scratch.Pointer);

        // blocks lie anywhere; what they held before must not matter
        using var pool = new FloatBuffer(5 * CachedAttention.BlockFloats(Shape));
        pool.Span.Fill(123);
        var blocks = stackalloc float*[3];
        for (var b = 0; b < 3; b++)
            blocks[b] = pool.Pointer + (4 - 2 * b) * CachedAttention.BlockFloats(Shape);
        for (var t = 0; t < Length; t += chunk)
        {
            var rows = Math.Min(chunk, Length - t);
            for (var m = t; m < t + rows; m++)
                CachedAttention.Store(Shape, blocks[m / 32], m % 32, qkv.Pointer + m * row);
            CachedAttention.Forward<TLanes>(Shape, qkv.Pointer + t * row, rows, t, blocks, cached.Pointer + t * width, width, small.Pointer);
        }

        Assert.Equal(o.Span.ToArray(), cached.Span.ToArray());
    }
}
