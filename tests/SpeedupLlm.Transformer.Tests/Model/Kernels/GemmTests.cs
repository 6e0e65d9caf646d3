using SpeedupLlm.Compute;
using SpeedupLlm.Transformer.Model;
using SpeedupLlm.Transformer.Model.Kernels;

namespace SpeedupLlm.Transformer.Tests.Model.Kernels;

public sealed unsafe class GemmTests
{
    public static TheoryData<int, int, int> Sizes() => new()
    {
        { 1, 32, 32 }, { 1, 352, 128 }, { 1, 70, 5 }, { 2, 64, 33 }, { 3, 96, 1 }, { 4, 33, 64 }, { 5, 31, 40 }, { 7, 100, 96 },
        { 8, 32, 128 }, { 9, 512, 17 }, { 13, 65, 352 }, { 33, 37, 3 }, { 520, 40, 32 },
    };

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Multiply_AllWidths_BitsOfOneChainOverK(int rows, int columns, int steps)
    {
        using FloatBuffer a = Random(rows * steps, 1), w = Random(columns * steps, 2), start = Random(rows * columns, 3);
        using var transposed = new PackedMatrix(steps, columns).FillTransposed(w.Pointer);
        using var plain = new PackedMatrix(steps, columns).Fill(w.Pointer);
        foreach (var accumulate in (bool[])[false, true])
        {
            var (x, b, c) = (a.Span.ToArray(), w.Span.ToArray(), start.Span.ToArray());
            float Chain(int m, int n, int nAt, int kAt)
            {
                var sum = accumulate ? c[m * columns + n] : 0;
                for (var k = 0; k < steps; k++)
                    sum = MathF.FusedMultiplyAdd(x[m * steps + k], b[n * nAt + k * kAt], sum);
                return sum;
            }

            foreach (var (packed, nAt, kAt) in ((PackedMatrix, int, int)[])[(transposed, steps, 1), (plain, 1, columns)])
            {
                var expected = new float[rows * columns];
                for (var m = 0; m < rows; m++)
                    for (var n = 0; n < columns; n++)
                        expected[m * columns + n] = Chain(m, n, nAt, kAt);
                foreach (var multiply in (Multiplication[])[Gemm.Multiply<Lanes512>, Gemm.Multiply<Lanes256>, Gemm.Multiply<Lanes128>, Gemm.Multiply<LanesScalar>])
                {
                    using var target = new FloatBuffer(rows * columns + 1);
                    start.Span.CopyTo(target.Span);
                    target.Span[^1] = 77;
                    multiply(a.Pointer, rows, steps, packed, target.Pointer, columns, accumulate);
                    Assert.Equal(expected, target.Span[..^1].ToArray());
                    Assert.Equal(77, target.Span[^1]);
                }
            }
        }
    }

    [Fact]
    public void Multiply_AnyNumberOfRows_EachRowHasTheSameBits()
    {
        using FloatBuffer a = Random(64 * 96, 1), w = Random(100 * 96, 2), all = new(64 * 100), some = new(64 * 100);
        using var packed = new PackedMatrix(96, 100).FillTransposed(w.Pointer);
        Gemm.Multiply<Lanes512>(a.Pointer, 64, 96, packed, all.Pointer, 100);
        for (var rows = 1; rows <= 17; rows++)
        {
            Gemm.Multiply<Lanes512>(a.Pointer + 20 * 96, rows, 96, packed, some.Pointer, 100);
            Assert.True(all.Span.Slice(20 * 100, rows * 100).SequenceEqual(some.Span[..(rows * 100)]));
        }
    }

    [Theory]
    [InlineData(1, 8, 32)]
    [InlineData(45, 37, 64)]
    [InlineData(100, 5, 32)]
    [InlineData(300, 352, 128)]
    public void AddTransposed_AllWidths_BitsOfOneChainOverRows(int rows, int n, int k)
    {
        using FloatBuffer dy = Random(rows * n, 1), x = Random(rows * k, 2), start = Random(n * k, 3), scratch = new(Gemm.TransposedScratch(rows, k));
        var (d, v, expected) = (dy.Span.ToArray(), x.Span.ToArray(), start.Span.ToArray());
        for (var i = 0; i < n; i++)
            for (var j = 0; j < k; j++)
                for (var t = 0; t < rows; t++)
                    expected[i * k + j] = MathF.FusedMultiplyAdd(d[t * n + i], v[t * k + j], expected[i * k + j]);

        foreach (var add in (Addition[])[Gemm.AddTransposed<Lanes512>, Gemm.AddTransposed<Lanes256>, Gemm.AddTransposed<Lanes128>, Gemm.AddTransposed<LanesScalar>])
        {
            using var g = new FloatBuffer(n * k);
            start.Span.CopyTo(g.Span);
            add(dy.Pointer, rows, n, n, x.Pointer, k, k, g.Pointer, scratch.Pointer);
            Assert.Equal(expected, g.Span.ToArray());
        }
    }

    private delegate void Multiplication(float* a, int rows, nint aRow, PackedMatrix b, float* c, nint cRow, bool accumulate);

    private delegate void Addition(float* dy, int rows, nint dyRow, int n, float* x, nint xRow, int k, float* g, float* scratch);

    internal static FloatBuffer Random(int length, long seed)
    {
        var draws = new NormalDraws(StreamKey.Root(seed));
        var buffer = new FloatBuffer(length);
        foreach (ref var value in buffer.Span)
            value = (float)draws.Next();
        return buffer;
    }
}
