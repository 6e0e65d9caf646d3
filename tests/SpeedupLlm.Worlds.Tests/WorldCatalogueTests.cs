namespace SpeedupLlm.Worlds.Tests;

public sealed class WorldCatalogueTests
{
    [Fact]
    public void Find_EveryName_GivesThatWorld() => Assert.All(WorldCatalogue.Names, n => Assert.Equal(n, WorldCatalogue.Find(n)!.Name));

    [Fact]
    public void Find_UnknownName_IsNull() => Assert.Null(WorldCatalogue.Find("Tariff"));

    /// <summary>The embedded weights were trained on this world: another fingerprint means that they have to be trained anew, or that a text changed by accident.</summary>
    [Fact]
    public void Fingerprint_OfTariffWorld_IsTheOneThatWeightsWereTrainedOn() => Assert.Equal("tariff-be4bb00377d238f3", WorldCatalogue.Find("tariff")!.Fingerprint);

    [Fact]
    public void All_HelpAndExamples_AreThere() => Assert.All(WorldCatalogue.All, w =>
    {
        Assert.NotEmpty(w.Help);
        Assert.NotEmpty(w.HelpExamples);
        Assert.StartsWith(w.Name + "-", w.Fingerprint, StringComparison.Ordinal);
    });
}
