using System.Runtime.Intrinsics.X86;
using SpeedupLlm.Compute;
using SpeedupLlm.Relevancy;

namespace SpeedupLlm.Tests.Relevancy;

public sealed class VectorSearchTests
{
    /// <summary>Vectors that make a rounded scan err: copies, near copies, one large component, scaled up and down, and clusters.</summary>
    private static List<float[]> Vectors(StreamRandom random, int count, int dimensions)
    {
        var vectors = new List<float[]>();
        while (vectors.Count < count)
        {
            var vector = new float[dimensions];
            for (var i = 0; i < dimensions; i++)
                vector[i] = (float)(random.NextDouble() - random.NextDouble());
            var kind = vectors.Count == 0 ? 5 : random.Next(6);
            var other = vectors.Count == 0 ? vector : random.Pick(vectors);
            switch (kind)
            {
                case 0:
                    vector = other;
                    break;
                case 1:
                    vector = [.. other];
                    vector[random.Next(dimensions)] += 1e-6f;
                    break;
                case 2:
                    vector[random.Next(dimensions)] = 1000;
                    break;
                case 3:
                    var factor = (float)Math.Pow(10, random.Between(-15, 15));
                    vector = [.. vector.Select(x => x * factor)];
                    break;
                case 4:
                    vector = [.. other.Zip(vector, (x, y) => x + 0.01f * y)];
                    break;
                default:
                    break;
            }
            vectors.Add(vector);
        }
        return vectors;
    }

    [Theory]
    [InlineData(3, 700)]
    [InlineData(32, 3000)]
    [InlineData(256, 5000)]
    [InlineData(1000, 2100)]
    public void Nearest_HardVectors_IsAnExactScan(int dimensions, int count)
    {
        var random = new StreamRandom(StreamKey.Root(dimensions));
        var vectors = Vectors(random, count, dimensions);
        var index = new VectorIndex(dimensions, row => vectors[(int)row]);
        for (var i = 0; i < count; i++)
            index.Add(i, i % 3, i % 5 != 0, vectors[i], Id(i));
        var gone = new HashSet<long>();
        var unusable = Enumerable.Range(0, count).Where(i => i % 5 == 0).Select(i => (long)i).ToHashSet();
        for (var i = 0; i < count / 9; i++)
        {
            var row = random.Next(count);
            if (gone.Add(row))
                index.Remove(row);
            row = random.Next(count);
            if (!gone.Contains(row) && unusable.Add(row))
                index.SetUsable(row, false);
        }
        foreach (var (owners, usableOnly) in ((HashSet<int>?, bool)[])[(null, false), (null, true), ([1], false), ([0, 2], true), ([7], true)])
        {
            for (var q = 0; q < 6; q++)
            {
                var query = q < 3 ? random.Pick(vectors) : Vectors(random, 1, dimensions)[0];
                var norm = Cosine.Norm(query)!.Value;
                var expected = Enumerable.Range(0, count)
                    .Where(i => !gone.Contains(i) && (!usableOnly || !unusable.Contains(i)) && owners?.Contains(i % 3) != false)
                    .Select(i => new Found(i, Cosine.Similarity(query, norm, vectors[i], Cosine.Norm(vectors[i])!.Value)))
                    .OrderByDescending(f => f.Similarity).ThenBy(f => Id(f.Row), StringComparer.Ordinal)
                    .ToList();
                foreach (var k in (int[])[1, 3, 50, count])
                    Assert.Equal(expected.Take(k), index.Nearest(query, k, new(owners, usableOnly), Id));
            }
        }

        static string Id(long row) => Text(row * 7919 % 10007);
    }

    private static string Text(long number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture);

    [Fact]
    public void Nearest_MostRowsRemoved_FindsTheRest()
    {
        var random = new StreamRandom(StreamKey.Root(8));
        var vectors = Vectors(random, 6000, 16);
        var removed = new HashSet<long>();
        var index = new VectorIndex(16, row => removed.Contains(row) ? throw new InvalidOperationException("A removed row is asked for.") : vectors[(int)row]);
        for (var i = 0; i < 6000; i++)
            index.Add(i, 0, true, vectors[i], Text(i));
        for (var i = 0; i < 6000; i++)
        {
            if (i % 10 == 3)
                continue;
            removed.Add(i);
            index.Remove(i);
        }
        Assert.Equal(600, index.Nearest(vectors[0], 6000, new(null, true), Text).Count);
    }

    [Fact]
    public void VectorBlock_Bounds_HoldForEveryRow()
    {
        var random = new StreamRandom(StreamKey.Root(5));
        foreach (var dimensions in (int[])[5, 256])
        {
            var vectors = Vectors(random, VectorBlock.Rows, dimensions);
            var block = VectorBlock.Of([.. vectors.Select((v, i) => VectorEntry.Of(i, 0, RowState.Usable, v, 0)!.Value)], dimensions);
            var stride = VectorBlock.Stride(dimensions);
            for (var i = 0; i < VectorBlock.Rows; i++)
            {
                double coarse = 0, both = 0;
                for (var d = 0; d < dimensions; d++)
                {
                    var unit = vectors[i][d] / Cosine.Norm(vectors[i])!.Value;
                    var q = block.Coarse[i * stride + d] * (double)block.Scales[i];
                    var f = block.Fine[i * stride + d] * (double)block.Scales[i] / VectorBlock.FineSteps;
                    coarse += (unit - q) * (unit - q);
                    both += (unit - q - f) * (unit - q - f);
                }
                Assert.True(Math.Sqrt(coarse) <= block.Errors[i] && Math.Sqrt(both) <= block.FineErrors[i]);
                Assert.True(block.Errors[i] < 0.05 && block.FineErrors[i] < 2e-4, $"{block.Errors[i]} {block.FineErrors[i]}");
            }
        }
    }

    [Fact]
    public void Dots_EveryWidth_GivesTheScalarNumbers()
    {
        var random = new StreamRandom(StreamKey.Root(6));
        foreach (var stride in (int[])[32, 64, 96, 256, 416])
        {
            var rows = new sbyte[7 * stride];
            var query = new short[stride];
            var most = Math.Min(short.MaxValue, int.MaxValue / (127 * stride));
            for (var i = 0; i < rows.Length; i++)
                rows[i] = (sbyte)(i < stride ? 127 : random.Between(-127, 127));
            for (var i = 0; i < stride; i++)
                query[i] = (short)(stride == 64 ? most : random.Between(-most, most));
            int[] scalar = new int[7], other = new int[7];
            DotKernel.DotsScalar(rows, query, scalar);
            Assert.Equal(Enumerable.Range(0, 7).Select(r => (int)Enumerable.Range(0, stride).Sum(i => (long)rows[r * stride + i] * query[i])), scalar);
            DotKernel.Dots128(rows, query, other);
            Assert.Equal(scalar, other);
            if (Avx2.IsSupported)
            {
                DotKernel.Dots256(rows, query, other);
                Assert.Equal(scalar, other);
            }
            if (Avx512BW.IsSupported)
            {
                DotKernel.Dots512(rows, query, other);
                Assert.Equal(scalar, other);
            }
            DotKernel.Dots(rows, query, other);
            Assert.Equal(scalar, other);
        }
    }

    [Fact]
    public void Dot_AnyLength_IsTheSum()
    {
        var random = new StreamRandom(StreamKey.Root(7));
        for (var length = 0; length < 70; length++)
        {
            var a = Enumerable.Range(0, length).Select(_ => (float)random.Between(-9, 9)).ToArray();
            var b = Enumerable.Range(0, length).Select(_ => (float)random.Between(-9, 9)).ToArray();
            Assert.Equal(a.Zip(b).Sum(p => (double)p.First * p.Second), Cosine.Dot(a, b));
        }
        Assert.Throws<ArgumentException>(() => Cosine.Dot([1], [1, 2]));
    }
}
