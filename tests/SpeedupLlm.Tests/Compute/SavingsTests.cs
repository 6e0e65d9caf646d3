using SpeedupLlm.Compute;

namespace SpeedupLlm.Tests.Compute;

public sealed class SavingsTests
{
    [Fact]
    public void For_NothingBooked_IsUnknown()
    {
        var savings = new Savings();
        Assert.Null(savings.For("a"));
        savings.AddBypass("a", "tools");
        savings.AddBypass("a", "tools");
        Assert.Equal(2, savings.For("a")!.Bypassed["tools"]);
        Assert.Null(savings.For("a")!.Saved);
        Assert.Null(savings.For("b"));
    }

    [Fact]
    public void Saved_FewerThanPromised_IsUnknown()
    {
        var savings = new Savings();
        for (var i = 0; i < Savings.LeastCompared; i++)
        {
            Assert.Null(savings.For("a")?.Saved);
            savings.Add("a", true, 0.5, 1);
            savings.Add("a", false, 0.5, 3);
        }
        Assert.Equal(new Estimate(2, 2, 2), savings.For("a")!.Saved);
        Assert.Equal(2 / 3.0, savings.For("a")!.SavedShare!.Value, 12);
        Assert.Equal(new Spending(20, 20), savings.For("a")!.Experienced);
        Assert.Equal(new Spending(20, 60), savings.For("a")!.Plain);
    }

    [Fact]
    public void Saved_ShareOfTheLotChanges_BeginsAnew()
    {
        var savings = new Savings();
        for (var i = 0; i < 40; i++)
            savings.Add("a", i % 2 == 0, 0.5, 1);
        Assert.NotNull(savings.For("a")!.Saved);
        savings.Add("a", true, 0.95, 1);
        Assert.Null(savings.For("a")!.Saved);
        Assert.Equal(21, savings.For("a")!.Experienced.Questions);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Saved_NoLot_IsNotCompared(double propensity)
    {
        var savings = new Savings();
        for (var i = 0; i < 100; i++)
            savings.Add("a", i % 2 == 0, propensity, i);
        Assert.Null(savings.For("a")!.Saved);
    }

    /// <summary>The interval holds the truth in 95 of 100 cases, for skewed costs too.</summary>
    [Fact]
    public void Saved_ManySamples_CoversTheTruth()
    {
        var random = new StreamRandom(StreamKey.Root(1).Child("savings"));
        int held = 0, heldShare = 0, heldPairs = 0, heldPairShare = 0;
        const int runs = 600;
        for (var run = 0; run < runs; run++)
        {
            var savings = new Savings();
            for (var i = 0; i < 80; i++)
            {
                savings.Add("a", false, 0.5, Skewed(4));
                savings.Add("a", true, 0.5, Skewed(1));
                var common = Skewed(2);
                savings.AddShadow("a", common + Skewed(2), common + Skewed(1), null);
            }
            var read = savings.For("a")!;
            held += Holds(read.Saved!, 3);
            heldShare += Holds(read.SavedShare!, 0.75);
            heldPairs += Holds(read.WouldSave!, 1);
            heldPairShare += Holds(read.WouldSaveShare!, 0.25);
        }
        Assert.All((int[])[held, heldShare, heldPairs, heldPairShare], n => Assert.InRange(n / (double)runs, 0.92, 0.98));

        static int Holds(Estimate e, double truth) => e.Low <= truth && truth <= e.High ? 1 : 0;
        decimal Skewed(double mean) => (decimal)(-mean * 0.5 * (Math.Log(1 - random.NextDouble()) + Math.Log(1 - random.NextDouble())));
    }

    [Theory]
    [InlineData(10, 2.228)]
    [InlineData(19, 2.093)]
    [InlineData(100, 1.984)]
    [InlineData(1e9, 1.960)]
    public void Quantile_OfStudentsT_IsThatOfTheTables(double freedom, double expected) => Assert.Equal(expected, Comparison.Quantile(freedom), 3);

    [Fact]
    public void DifferedShare_NoneOfMany_IsSmallAndNotSurelyZero()
    {
        var savings = new Savings();
        for (var i = 0; i < 100; i++)
            savings.AddShadow("a", 1, 1, agrees: i < 10 ? null : true);
        var read = savings.For("a")!;
        Assert.Equal((90, 0, 0.0), (read.Compared, read.Differed, read.DifferedShare!.Value));
        Assert.InRange(read.DifferedShare.High, 0.03, 0.05);
    }

    [Fact]
    public void Add_ManyAtOnce_LosesNothing()
    {
        var savings = new Savings();
        Parallel.For(0, 1000, i => savings.Add("a", i % 2 == 0, 0.5, i % 2));
        Assert.Equal((500, 500, 500m), (savings.For("a")!.Plain.Questions, savings.For("a")!.Experienced.Questions, savings.For("a")!.Plain.Cost));
    }

    /// <summary>Hours add up to the day, wherever they are cut.</summary>
    [Fact]
    public void Ledger_PartsAfterOneAnother_SayWhatTheWholeSays()
    {
        var bookings = new List<Ledger>();
        var savings = new Savings((_, booking) => bookings.Add(booking));
        for (var i = 0; i < 90; i++)
        {
            savings.Add("a", i % 3 == 0, i < 20 ? 0.3 : 0.4, 1 + i * i % 17, learning: i % 2);
            savings.AddShadow("a", i % 7, i % 5, agrees: i % 11 == 0 ? null : i % 2 == 0);
            if (i % 10 == 0)
                savings.AddBypass("a", i % 20 == 0 ? "tools" : "images");
        }
        var whole = savings.For("a")!;
        Assert.Equal(15, Sum(bookings).Learning);
        foreach (var cut in new[] { 0, 1, 39, 40, 41, 100, 180 })
        {
            var parts = Sum(bookings.Take(cut)).Then(Sum(bookings.Skip(cut))).Read("a");
            Assert.Equal(
                (whole.Plain, whole.Experienced, whole.Shadowed, whole.DrawnPlain, whole.DrawnExperienced, whole.Compared, whole.Differed),
                (parts.Plain, parts.Experienced, parts.Shadowed, parts.DrawnPlain, parts.DrawnExperienced, parts.Compared, parts.Differed));
            Assert.Equal(whole.Bypassed.OrderBy(r => r.Key, StringComparer.Ordinal), parts.Bypassed.OrderBy(r => r.Key, StringComparer.Ordinal));
            foreach (var (expected, actual) in new[] { (whole.Saved!, parts.Saved!), (whole.SavedShare!, parts.SavedShare!), (whole.WouldSave!, parts.WouldSave!), (whole.WouldSaveShare!, parts.WouldSaveShare!) })
                Assert.Equal([expected.Value, expected.Low, expected.High], (double[])[actual.Value, actual.Low, actual.High], (x, y) => Math.Abs(x - y) < 1e-9);
        }

        static Ledger Sum(IEnumerable<Ledger> parts) => parts.Aggregate(Ledger.Empty, (sum, part) => sum.Then(part));
    }

    [Fact]
    public void AddBypass_ReasonsWithoutEnd_AreKeptUpToABound()
    {
        var savings = new Savings();
        for (var i = 0; i < 10_000; i++)
            savings.AddBypass("a", $"a part of type “{i}”");
        var bypassed = savings.For("a")!.Bypassed;
        Assert.InRange(bypassed.Count, 1, 100);
        Assert.Equal(10_000, bypassed.Values.Sum());
    }
}
