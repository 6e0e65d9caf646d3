using SpeedupLlm.Compute;
using SpeedupLlm.Guard;

namespace SpeedupLlm.Tests.Guard;

public sealed class AuditedAccuracyTests
{
    [Theory]
    [InlineData(0.9, 0.1)] // a fair judge
    [InlineData(1, 0.6)] // one that is too kind
    [InlineData(0.5, 0.5)] // one that says nothing
    public void Of_BiasedJudge_CoversTheTruthAndIsNoLongerThanTheAuditAlone(double saysGoodIfRight, double saysGoodIfWrong)
    {
        const int Runs = 1000;
        const double Truth = 0.7;
        var (covered, length, alone) = (0, 0.0, 0.0);
        for (var run = 0; run < Runs; run++)
        {
            var random = new StreamRandom(StreamKey.Root(5).Child(run));
            (double Judge, bool IsRight) Draw()
            {
                var right = random.NextDouble() < Truth;
                return (random.NextDouble() < (right ? saysGoodIfRight : saysGoodIfWrong) ? 1 : 0, right);
            }
            var audited = Enumerable.Range(0, 150).Select(_ => Draw()).ToList();
            var judged = Enumerable.Range(0, 3000).Select(_ => Draw().Judge).ToList();
            var estimate = AuditedAccuracy.Of(audited, judged)!;
            covered += estimate.Low <= Truth && Truth <= estimate.High ? 1 : 0;
            length += estimate.High - estimate.Low;
            var only = AuditedAccuracy.Of(audited, [])!;
            alone += only.High - only.Low;
        }
        Assert.InRange(Runs - covered, 0, Bounds.MostOf(Runs, 0.06)); // asymptotic: a little below 95 % at 150
        Assert.InRange(length / alone, 0, 1.001);
        if (saysGoodIfRight == 0.9)
            Assert.InRange(length / alone, 0, 0.7);
    }

    [Fact]
    public void Of_FewAudited_PromisesNothing() => Assert.Null(AuditedAccuracy.Of([.. Enumerable.Repeat((1.0, true), 19)], [1, 1, 1]));
}
