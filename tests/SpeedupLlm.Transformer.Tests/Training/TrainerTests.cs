using SpeedupLlm.Transformer.Model;
using SpeedupLlm.Transformer.Training;

namespace SpeedupLlm.Transformer.Tests.Training;

public sealed class TrainerTests : IDisposable
{
    private static readonly TrainingRecipe Recipe = new()
    {
        Shape = Small.Shape with { Vocabulary = 16 },
        Tokens = 6000,
        Seed = 3,
        WarmUpSteps = 5,
        BatchTokens = 300,
        SlotTokens = 60,
    };

    private readonly string _directory = Directory.CreateTempSubdirectory("speedup-trainer").FullName;

    private string CheckpointFile => Path.Combine(_directory, "run.checkpoint");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Train_CountingTexts_LearnsToCount()
    {
        var reports = new List<TrainingProgress>();

        new Trainer(Recipe with { Tokens = 40_000 }, Counting).Train(new() { ReportEvery = 20, Report = reports.Add }, CancellationToken.None);

        Assert.InRange(reports[0].Loss.Answer, 1.5, 3);
        Assert.InRange(reports[^1].Loss.Answer, 0, 0.1);
        Assert.True(reports[^1].Tokens is >= 40_000 and < 40_300);
        Assert.All(reports, r => Assert.True(r.TokensPerSecond > 0 && r.GradientNorm > 0 && r.Rate > 0));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void Train_MoreThreads_SameBits(int threads)
    {
        var one = new Trainer(Recipe, Counting).Train(new(), CancellationToken.None);

        var more = new Trainer(Recipe, Counting).Train(new() { Threads = threads }, CancellationToken.None);

        Assert.True(one.Values.AsSpan().SequenceEqual(more.Values));
    }

    [Fact]
    public void Train_OtherSeed_OtherWeights()
    {
        var one = new Trainer(Recipe, Counting).Train(new(), CancellationToken.None);

        var other = new Trainer(Recipe with { Seed = 4 }, Counting).Train(new(), CancellationToken.None);

        Assert.False(one.Values.AsSpan().SequenceEqual(other.Values));
    }

    [Fact]
    public void Train_CancelledAndResumed_BitsOfOneThatNeverStopped()
    {
        var whole = new Trainer(Recipe, Counting).Train(new(), CancellationToken.None);
        using var stop = new CancellationTokenSource();
        var run = new TrainingRun { CheckpointFile = CheckpointFile, ReportEvery = 7, Report = _ => stop.Cancel() };
        Assert.Throws<OperationCanceledException>(() => new Trainer(Recipe, Counting).Train(run, stop.Token));

        var asked = new List<long>();
        var resumed = new Trainer(Recipe, i =>
        {
            asked.Add(i);
            return Counting(i);
        }).Train(run with { Report = null }, CancellationToken.None);

        Assert.True(whole.Values.AsSpan().SequenceEqual(resumed.Values));
        Assert.True(asked[0] > 0, "the resumed run began anew");
    }

    [Fact]
    public void Train_FinishedCheckpoint_SameWeightsWithoutTraining()
    {
        var run = new TrainingRun { CheckpointFile = CheckpointFile };
        var first = new Trainer(Recipe, Counting).Train(run, CancellationToken.None);

        var again = new Trainer(Recipe, _ => throw new InvalidOperationException("nothing is left to train")).Train(run, CancellationToken.None);

        Assert.True(first.Values.AsSpan().SequenceEqual(again.Values));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(20)]
    [InlineData(-1)]
    [InlineData(-40)]
    public void Train_CheckpointCutShort_NamesTheFile(int length)
    {
        new Trainer(Recipe with { Tokens = 300 }, Counting).Train(new() { CheckpointFile = CheckpointFile }, CancellationToken.None);
        var bytes = File.ReadAllBytes(CheckpointFile);
        File.WriteAllBytes(CheckpointFile, length >= 0 ? bytes[..length] : bytes[..^-length]);

        var e = Assert.Throws<InvalidDataException>(() => new Trainer(Recipe with { Tokens = 300 }, Counting).Train(new() { CheckpointFile = CheckpointFile }, CancellationToken.None));

        Assert.Contains(CheckpointFile, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_CheckpointOfAnotherRecipe_Refused()
    {
        new Trainer(Recipe with { Tokens = 300 }, Counting).Train(new() { CheckpointFile = CheckpointFile }, CancellationToken.None);

        var e = Assert.Throws<InvalidDataException>(() => new Trainer(Recipe, Counting).Train(new() { CheckpointFile = CheckpointFile }, CancellationToken.None));

        Assert.Contains("another recipe", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_TokenOutsideTheVocabulary_SaysWhich()
    {
        var e = Assert.Throws<ArgumentException>(() => new Trainer(Recipe, _ => new([1, 16], [0, 1])).Train(new(), CancellationToken.None));

        Assert.Contains("Token 1", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_SourceThrows_ErrorReachesTheCaller()
    {
        Assert.Throws<InvalidOperationException>(() => new Trainer(Recipe, i => i > 20 ? throw new InvalidOperationException() : Counting(i)).Train(new() { Threads = 2 }, CancellationToken.None));
    }

    [Fact]
    public void Slots_AnyBatch_EveryTextOnceAndEvenSizes()
    {
        var batch = Enumerable.Range(0, 40).Select(i => Small.Text(10 + i * 7 % 50, i)).ToArray();

        var slots = BatchGradient.Slots(batch, 200);

        Assert.Equal(batch.ToHashSet(ReferenceEqualityComparer.Instance), slots.SelectMany(s => s).ToHashSet(ReferenceEqualityComparer.Instance));
        Assert.Equal(batch.Length, slots.Sum(s => s.Length));
        var sizes = slots.Select(s => s.Sum(t => t.Tokens.Length)).ToArray();
        Assert.True(sizes.Max() - sizes.Min() <= 60, string.Join(' ', sizes));
    }

    /// <summary>Numbers that count upward from somewhere; learnable by anything that attends to the last token.</summary>
    private static TrainingExample Counting(long index)
    {
        var length = 8 + (int)(index * 13 % 40);
        var tokens = Enumerable.Range((int)(index % 16), length).Select(t => t % 16).ToArray();
        return new(tokens, [0, .. Enumerable.Repeat(1f, length - 1)]);
    }
}
