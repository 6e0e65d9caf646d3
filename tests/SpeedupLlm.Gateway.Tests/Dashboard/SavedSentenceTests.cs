using SpeedupLlm.Compute;
using SpeedupLlm.Gateway.Dashboard;

namespace SpeedupLlm.Gateway.Tests.Dashboard;

public sealed class SavedSentenceTests
{
    private static string Say(TenantSavings savings, ExperienceMode mode = ExperienceMode.On, bool draws = true) => SavedSentence.Of(savings, mode, draws, "the last 7 days");

    private static TenantSavings Nothing => Ledger.Empty.Read("t");

    [Theory]
    [InlineData(ExperienceMode.Off, true, "switched off")]
    [InlineData(ExperienceMode.Observe, true, "unknown yet: it takes 20 more observed questions.")]
    [InlineData(ExperienceMode.Canary, true, "unknown yet: it takes 20 more control questions and 20 more experienced questions.")]
    [InlineData(ExperienceMode.On, false, "nothing to compare with")]
    public void Of_NothingMeasured_IsUnknown(ExperienceMode mode, bool draws, string says)
    {
        var sentence = Say(Nothing, mode, draws);
        Assert.Contains("unknown", sentence, StringComparison.Ordinal);
        Assert.Contains(says, sentence, StringComparison.Ordinal);
        Assert.DoesNotContain("%", sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_SomeMissing_CountsThem()
    {
        var savings = new Savings();
        for (var i = 0; i < 40; i++)
            savings.Add("t", isExperienced: i >= 19, 0.5, 1 + i % 3);
        Assert.Equal("What is saved is unknown yet: it takes 1 more control question.", Say(savings.For("t")!));
    }

    [Theory]
    [InlineData(10, 100, "Experience saved 90 % (95 % interval ")]
    [InlineData(200, 100, "Experience cost 100 % (95 % interval ")]
    [InlineData(100, 100, "Whether experience saved anything in the last 7 days is not certain: ")]
    public void Of_Measured_SaysItWithItsInterval(int experienced, int plain, string begins)
    {
        var savings = new Savings();
        for (var i = 0; i < 100; i++)
        {
            savings.Add("t", true, 0.5, experienced * (1 + i % 3 * 0.1m));
            savings.Add("t", false, 0.5, plain * (1 + i % 3 * 0.1m));
        }
        Assert.StartsWith(begins, Say(savings.For("t")!), StringComparison.Ordinal);
    }

    [Fact]
    public void Of_Observed_SaysWhatWouldBeAndHowOftenItDiffers()
    {
        var savings = new Savings();
        for (var i = 0; i < 50; i++)
            savings.AddShadow("t", 100 + i % 5, 20 + i % 7, agrees: i % 10 != 0);
        var sentence = Say(savings.For("t")!, ExperienceMode.Observe);
        Assert.StartsWith("Experience would save 7", sentence, StringComparison.Ordinal);
        Assert.Contains(" 10 % (95 % interval 4 to 21 %) of the answers would differ.", sentence, StringComparison.Ordinal);
    }
}
