using System.Text;
using SpeedupLlm.Experience;
using SpeedupLlm.Testing;

namespace SpeedupLlm.Tests.Experience;

public sealed class ExperienceFileTests : StoreSamples
{
    [Fact]
    public async Task Export_ThenImport_GivesTheSameStore()
    {
        await using var from = new InMemoryStore();
        for (var i = 0; i < 150; i++)
            await from.AppendAsync(EpisodeOf($"e{i}", [i, 1, float.NaN, 0], i % 2 == 0 ? Home : Home with { User = "ann", ModelFingerprint = "other" }), None);
        await from.PutAsync(DocumentOf("d", ["e1", "e2"]), None);
        await from.AppendAsync(EpisodeOf("theirs", scope: Home with { Tenant = "away" }), None);
        using var file = new MemoryStream();
        Assert.Equal(151, await ExperienceFile.ExportAsync(from, "home", file, None));

        await using var to = new InMemoryStore();
        file.Position = 0;
        Assert.Equal(new(150, 1, 0), await ExperienceFile.ImportAsync(to, "here", file, None));
        foreach (var scope in await from.ScopesAsync("home", None))
        {
            var expected = await All(from.ListAsync(See(scope), None));
            var actual = await All(to.ListAsync(See(scope with { Tenant = "here" }), None));
            Assert.Equal(expected.Count, actual.Count);
            foreach (var (e, a) in expected.Zip(actual))
                AssertSame(e, a with { Scope = e.Scope });
        }
        AssertSame((await from.GetAsync(Home, "lesson", "d", None))!, (await to.GetAsync(Home with { Tenant = "here" }, "lesson", "d", None))! with { Scope = Home });

        file.Position = 0;
        Assert.Equal(new(150, 0, 1), await ExperienceFile.ImportAsync(to, "here", file, None));
        Assert.Equal(new(150, 1, 0, null), await to.CheckAsync(None));
    }

    [Fact]
    public async Task Import_LineWithoutWhatCameLater_IsReadWithNothingThere()
    {
        await using var from = new InMemoryStore();
        await from.AppendAsync(EpisodeOf("old") with { Hints = ["case"] }, None);
        using var file = new MemoryStream();
        await ExperienceFile.ExportAsync(from, "home", file, None);
        var line = Encoding.UTF8.GetString(file.ToArray());
        Assert.Contains(",\"hints\":[\"case\"]", line, StringComparison.Ordinal);
        using var older = new MemoryStream(Encoding.UTF8.GetBytes(line.Replace(",\"hints\":[\"case\"]", "", StringComparison.Ordinal)));
        await using var to = new InMemoryStore();
        Assert.Equal(new(1, 0, 0), await ExperienceFile.ImportAsync(to, "home", older, None));
        Assert.Empty((await to.GetEpisodeAsync("home", "old", None))!.Hints);
    }

    [Theory]
    [InlineData("{\"episode\":", "line 3: ")]
    [InlineData("{}", "line 3: neither")]
    [InlineData("null", "line 3: neither")]
    [InlineData("{\"episode\":{\"id\":\"x\"}}", "line 3: ")]
    [InlineData("{\"document\":{\"kind\":\"k\",\"key\":\"x\",\"scope\":{\"tenant\":\"t\",\"user\":null,\"conversation\":null,\"modelFingerprint\":\"m\",\"promptFingerprint\":\"p\"},\"at\":\"2026-01-01T00:00:00Z\",\"formatVersion\":9}}", "line 3: format 9 is not known")]
    [InlineData("{\"document\":{\"kind\":\"k\",\"key\":null,\"scope\":{\"tenant\":\"t\",\"user\":null,\"conversation\":null,\"modelFingerprint\":\"m\",\"promptFingerprint\":\"p\"},\"at\":\"2026-01-01T00:00:00Z\"}}", "line 3: ")]
    public async Task Import_MalformedLine_NamesItAndKeepsTheLinesBefore(string bad, string message)
    {
        await using var from = new InMemoryStore();
        await from.AppendAsync(EpisodeOf("a"), None);
        using var file = new MemoryStream();
        await ExperienceFile.ExportAsync(from, "home", file, None);
        file.Write(Encoding.UTF8.GetBytes("\n" + bad + "\n"));
        file.Position = 0;
        await using var to = new InMemoryStore();
        var error = await Assert.ThrowsAsync<InvalidDataException>(() => ExperienceFile.ImportAsync(to, "home", file, None));
        Assert.StartsWith(message, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
        Assert.Equal(1, (await to.CheckAsync(None)).Episodes);
    }

    [Fact]
    public async Task Import_NotUtf8_NamesTheLine()
    {
        using var file = new MemoryStream([(byte)'\n', 0xFF, 0xFE, 0xC3, 0x28, (byte)'\n']);
        await using var to = new InMemoryStore();
        var error = await Assert.ThrowsAsync<InvalidDataException>(() => ExperienceFile.ImportAsync(to, "home", file, None));
        Assert.StartsWith("line ", error.Message, StringComparison.Ordinal);
    }
}
