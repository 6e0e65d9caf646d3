using SpeedupLlm.Benchmark.Calibration;
using SpeedupLlm.Benchmark.Data;
using SpeedupLlm.Relevancy;
using SpeedupLlm.Worlds;

namespace SpeedupLlm.Benchmark.Tests.Calibration;

public sealed class CalibrationTests : IDisposable
{
    private readonly string _file = Path.GetTempFileName();

    public void Dispose() => File.Delete(_file);

    [Fact]
    public void RelevancyStudy_OnFirmsThatNothingWasChosenOn_TellsLevelsApart()
    {
        var report = RelevancyStudy.Of("tariff", Pair.Of(new WorldExamples(WorldCatalogue.All[0], 77), 30));
        Assert.Equal(["S1", "S2", "S3", "S4", "unrelated"], report.Confusion.Select(r => r.Label));
        Assert.All(report.Confusion, r => Assert.Equal(r.Pairs, r.Estimated.Values.Sum()));
        Assert.Equal(120, report.Confusion[0].Estimated["S1"]);
        Assert.InRange(report.BalancedAccuracy!.Value, 0.95, 1);
        Assert.InRange(report.RelatedAuc!.Value, 0.98, 1);
        Assert.InRange(report.NearDuplicates!.Value, 0, 0.03);
    }

    [Fact]
    public void ReusePrior_OfTheWorld_IsProvenAndTheSameEachTime()
    {
        var prior = ReusePrior.Of(WorldCatalogue.All[0]);
        Assert.True(prior.Serves(0.99));
        Assert.InRange(prior.Checked, 750, 830);
        Assert.InRange(prior.Wrong, 0, 10);
        Assert.Equal(prior.ToString(), ReusePrior.Of(WorldCatalogue.All[0]).ToString());
    }

    [Fact]
    public void Auc_TiesAndOrder_AreCounted()
    {
        Assert.Equal(1, RelevancyStudy.Auc([2, 3], [0, 1]));
        Assert.Equal(0, RelevancyStudy.Auc([0], [1]));
        Assert.Equal(0.5, RelevancyStudy.Auc([1, 1], [1]));
        Assert.Equal(0.625, RelevancyStudy.Auc([1, 3], [1, 2]));
        Assert.Null(RelevancyStudy.Auc([], [1]));
    }

    [Fact]
    public void ExactShare_KnownValues_AreClopperPearson()
    {
        var none = ExactShare.Of(0, 10)!;
        Assert.Equal((0, 0, 0.3085), (none.Value, none.Low, Math.Round(none.High, 4)));
        var half = ExactShare.Of(5, 10)!;
        Assert.Equal((0.1871, 0.8129), (Math.Round(half.Low, 4), Math.Round(half.High, 4)));
        Assert.Null(ExactShare.Of(0, 0));
    }

    [Fact]
    public async Task ReuseStudy_ManyRewordingsAndSubstitutions_ServesTheFormerOnceProven()
    {
        File.WriteAllLines(_file, Enumerable.Range(0, 120).SelectMany(i =>
        {
            var (name, a, b) = ($"Vel{(char)('a' + i % 26)}{(char)('a' + i / 26)}o", 3 + i % 7, 11 + i);
            var seed = $"{name} buys {a} boxes of {b} nails each. How many nails does {name} have?";
            return (string[])
            [
                Line("problem understanding", $"In total, what number of nails is owned by {name} after purchasing {a} boxes that hold {b} apiece?", a * b),
                Line("numerical substitution", $"{name} buys {a + 1} boxes of {b + 2} nails each. How many nails does {name} have?", (a + 1) * (b + 2)),
                Line("adding operation", $"{name} buys {a} boxes of {b} nails each and loses 2. How many nails does {name} have?", a * b - 2),
                Line("reversing operation", $"{name} has {a * b} nails in {a} boxes. How many nails are in each?", b),
            ];
            string Line(string type, string question, int answer) =>
                $$"""{"question":"{{question}}","solution":"","answer":"{{answer}}","perturbation_type":"{{type}}","seed_question":"{{seed}}","seed_solution":"","seed_answer":"{{a * b}}"}""";
        }));
        var results = await ReuseStudy.RunAsync(GsmPlus.Load(_file), 3, 1, CancellationToken.None);
        var ours = results.Single(r => r.Rule == "pooled evidence, δ = 0.1");
        Assert.Equal(["problem understanding"], ours.GivenByType.Keys);
        Assert.Equal(0, ours.Wrong!.Value);
        Assert.InRange(ours.Served!.Value, 0.2, 0.6);
        // similar words around other numbers are what a fixed threshold falls for
        Assert.InRange(results.First(r => r.Rule.Contains("0.9 (GPTCache)", StringComparison.Ordinal)).Wrong!.Value, 0.5, 1);
        var report = new CalibrationReport(1, RelevancyStudy.Of("file", Pair.Of(GsmPlus.Load(_file))), results);
        Assert.Contains("pooled evidence, δ = 0.1", report.ToText(), StringComparison.Ordinal);
        Assert.Contains("\"balancedAccuracy\"", report.ToJson(), StringComparison.Ordinal);
        Assert.Equal(results.Select(r => r.ToString()), (await ReuseStudy.RunAsync(GsmPlus.Load(_file), 3, 1, CancellationToken.None)).Select(r => r.ToString()), new Loose());
    }

    /// <summary>Records print their dictionaries by type; the figures before them are what is compared.</summary>
    private sealed class Loose : IEqualityComparer<string>
    {
        public bool Equals(string? x, string? y) => string.Equals(Head(x), Head(y), StringComparison.Ordinal);

        public int GetHashCode(string obj) => Head(obj)!.GetHashCode(StringComparison.Ordinal);

        private static string? Head(string? text) => text?.Split(", GivenByType")[0];
    }
}
