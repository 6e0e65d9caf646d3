using SpeedupLlm.Transformer.Training;

namespace SpeedupLlm.Transformer.Tests.Training;

public sealed class WorkersTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void ForEach_ManyRounds_EachJobOnce(int count)
    {
        using var workers = new Workers(count);
        for (var round = 0; round < 200; round++)
        {
            var done = new int[round];
            workers.ForEach(done.Length, (worker, job) =>
            {
                Assert.InRange(worker, 0, count - 1);
                Interlocked.Increment(ref done[job]);
            });
            Assert.All(done, times => Assert.Equal(1, times));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void ForEach_AJobFails_TheCallerSeesItAndTheTeamGoesOn(int count)
    {
        using var workers = new Workers(count);

        var e = Assert.Throws<InvalidDataException>(() => workers.ForEach(50, (_, job) =>
        {
            if (job == 20)
                throw new InvalidDataException("job 20");
        }));

        Assert.Equal("job 20", e.Message);
        var after = 0;
        workers.ForEach(10, (_, _) => Interlocked.Increment(ref after));
        Assert.Equal(10, after);
    }

    [Fact]
    public void Constructor_NoWorkers_Refused() => Assert.Throws<ArgumentOutOfRangeException>(() => new Workers(0));
}
