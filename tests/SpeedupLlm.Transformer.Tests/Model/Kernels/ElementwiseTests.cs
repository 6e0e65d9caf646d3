using SpeedupLlm.Transformer.Model;
using SpeedupLlm.Transformer.Model.Kernels;

namespace SpeedupLlm.Transformer.Tests.Model.Kernels;

public sealed unsafe class ElementwiseTests
{
    [Fact]
    public void Exp_AllFloatsOfARange_WithinTwoUnits()
    {
        var worst = 0.0;
        for (var i = 0; i < 400_000; i++)
        {
            var x = -87.2f + i * (175.8f / 400_000);
            var exact = Math.Exp(x);
            var unit = MathF.BitIncrement((float)exact) - (float)exact;
            worst = Math.Max(worst, Math.Abs(Exp<Lanes512>(x) - exact) / unit);
        }

        Assert.InRange(worst, 0.4, 2);
    }

    [Theory]
    [InlineData(float.NegativeInfinity, 0f)]
    [InlineData(float.MinValue, 0f)]
    [InlineData(-87.31f, 0f)]
    [InlineData(0f, 1f)]
    [InlineData(-0f, 1f)]
    [InlineData(88.73f, float.PositiveInfinity)]
    [InlineData(float.MaxValue, float.PositiveInfinity)]
    [InlineData(float.PositiveInfinity, float.PositiveInfinity)]
    [InlineData(float.NaN, float.NaN)]
    public void Exp_Extremes_WhatIsWrittenDown(float x, float expected)
    {
        Assert.Equal(expected, Exp<Lanes512>(x));
        Assert.Equal(expected, Exp<LanesScalar>(x));
    }

    [Fact]
    public void Exp_NaNOfAnyPayload_NaN()
    {
        for (var payload = 1; payload < 1024; payload++)
        {
            Assert.True(float.IsNaN(Exp<Lanes512>(BitConverter.Int32BitsToSingle(0x7F800000 | payload))));
            Assert.True(float.IsNaN(Exp<LanesScalar>(BitConverter.Int32BitsToSingle(unchecked((int)0xFF800000) | payload))));
        }
    }

    [Fact]
    public void Exp_AnyFloat_SameBitsAtEveryWidth()
    {
        for (long bits = int.MinValue; bits <= int.MaxValue; bits += 9973 * 37)
        {
            var x = BitConverter.Int32BitsToSingle((int)bits);
            if (float.IsNaN(x))
                continue;
            var expected = BitConverter.SingleToInt32Bits(Exp<LanesScalar>(x));
            Assert.Equal(expected, BitConverter.SingleToInt32Bits(Exp<Lanes512>(x)));
            Assert.Equal(expected, BitConverter.SingleToInt32Bits(Exp<Lanes256>(x)));
            Assert.Equal(expected, BitConverter.SingleToInt32Bits(Exp<Lanes128>(x)));
        }
    }

    [Fact]
    public void SumAndLargest_RandomLanes_TheFixedTreeAtEveryWidth()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            using var values = GemmTests.Random(16, seed);
            var v = values.Pointer;
            float Tree(int from, int step) => step == 16 ? v[from] : Tree(from, 2 * step) + Tree(from + step, 2 * step);
            var (sum, largest) = (Tree(0, 1), values.Span.ToArray().Max());
            Assert.Equal((sum, largest), Reduce<LanesScalar>(v));
            Assert.Equal((sum, largest), Reduce<Lanes128>(v));
            Assert.Equal((sum, largest), Reduce<Lanes256>(v));
            Assert.Equal((sum, largest), Reduce<Lanes512>(v));
        }
    }

    [Theory]
    [InlineData(1, 16)]
    [InlineData(16, 16)]
    [InlineData(17, 32)]
    [InlineData(17, 64)]
    [InlineData(300, 320)]
    public void Exponentials_AnyPadding_SoftmaxOfTheValidOnes(int valid, int padded)
    {
        using var row = GemmTests.Random(padded, valid);
        using var wider = new FloatBuffer(padded + 32);
        row.Span.CopyTo(wider.Span);
        var x = row.Span[..valid].ToArray().Select(v => (double)v).ToArray();

        var (inverse, maximum) = Softmax.Exponentials<Lanes256>(row.Pointer, valid, padded);
        var other = Softmax.Exponentials<Lanes512>(wider.Pointer, valid, padded + 32);

        Assert.Equal((inverse, maximum), other);
        Assert.Equal((float)x.Max(), maximum);
        Assert.Equal(1 / x.Sum(v => Math.Exp(v - x.Max())), inverse, 1e-6);
        for (var i = 0; i < padded; i++)
            Assert.Equal(i < valid ? Math.Exp(x[i] - x.Max()) : 0, row.Span[i], 1e-6);
    }

    private static float Exp<TLanes>(float x)
        where TLanes : unmanaged, ILanes<TLanes>
    {
        var lanes = stackalloc float[16];
        Exponential.Exp(TLanes.Broadcast(x)).Store(lanes);
        return lanes[11];
    }

    private static (float Sum, float Largest) Reduce<TLanes>(float* values)
        where TLanes : unmanaged, ILanes<TLanes> => (TLanes.Load(values).Sum(), TLanes.Load(values).Largest());
}
