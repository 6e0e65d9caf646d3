using SpeedupLlm.Benchmark.Data;
using SpeedupLlm.Benchmark.Experiments;
using SpeedupLlm.Benchmark.Results;
using SpeedupLlm.Benchmark.Tests.Experiments;
using SpeedupLlm.Compute;
using SpeedupLlm.Relevancy;
using SpeedupLlm.Testing;

namespace SpeedupLlm.Benchmark.Tests.Data;

public sealed class QuestionFileTests : IDisposable
{
    private readonly Runs _runs = new();
    private readonly string _file = Path.GetTempFileName();

    public void Dispose()
    {
        File.Delete(_file);
        _runs.Dispose();
    }

    [Fact]
    public void Load_WithoutGroups_IsAListInTheFilesOrder()
    {
        var data = Load("""{"text":"What are 40 and 2?","answer":42,"kind":"number"}""", """{"question":"A or B?","answer":"B","kind":"choice","id":"b"}""");
        Assert.Equal((2, null), (data.Groups, data.LevelsAt(SimilarityLevel.S1)));
        Assert.Equal(["What are 40 and 2?", "A or B?"], Enumerable.Range(0, 2).Select(g => data.At(g, SimilarityLevel.S1, 0).Question));
        Assert.Equal("b", data.At(1, SimilarityLevel.S1, 0).Id);
    }

    [Fact]
    public async Task Load_WithGroups_HasTheLevelsThatEveryGroupHas_AndTheStudyRunsOnThem()
    {
        var data = Load([.. Groups()]);
        Assert.Equal((2, int.MaxValue, 2, 1, 0), (data.Groups, data.LevelsAt(SimilarityLevel.S1), data.LevelsAt(SimilarityLevel.S2), data.LevelsAt(SimilarityLevel.S3), data.LevelsAt(SimilarityLevel.S4)));
        Assert.Equal("What do 2 of a cost?", data.At(0, SimilarityLevel.S3, 1).Question);
        Assert.Equal(data.At(0, SimilarityLevel.S1, 0).Question, data.At(0, SimilarityLevel.S1, 3).Question);

        var client = ScriptedApprentice.Create(1, 1, _ => "1");
        var settings = new ExperimentSettings { Groups = 2, Rounds = 2, Memory = ["none", "in-context"], Scaling = ["best-of-n"], Similarity = ["S2", "S3"] };
        var folder = _runs.Folder("own");
        var summary = await new Experiment(settings, new(client, (ModelTraits)client.GetService(typeof(ModelTraits))!), data, folder, TimeProvider.System).RunAsync(false, CancellationToken.None);
        // two rewordings and one question with other numbers a group
        Assert.Equal([4, 4, 2, 2], summary.Cells.Select(c => c.Trials));
        Assert.True(TrialFile.Read(folder.TrialsPath).Where(t => t.Similarity == "S2").All(t => t.Correct));
        var refused = Assert.Throws<ArgumentException>(() => new Experiment(settings with { Similarity = ["S2", "S4"] }, new(client, (ModelTraits)client.GetService(typeof(ModelTraits))!), data, folder, TimeProvider.System));
        Assert.Contains("no question at S4", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"answer":"1"}""", "line 1", "text")]
    [InlineData("""{"text":"q"}""", "line 1", "answer")]
    [InlineData("""{"text":"q","answer":"many","kind":"number"}""", "line 1", "no number")]
    [InlineData("""{"text":"q","answer":"many","kind":"choice"}""", "line 1", "no choice")]
    [InlineData("""{"text":"q","answer":"1","kind":"poem"}""", "line 1", "number, choice, text")]
    [InlineData("""{"text":"q","answer":"1","kind":"code"}""", "line 1", "needs the field tests")]
    [InlineData("""{"text":"q","answer":"1","kind":"number","tests":"assert True"}""", "line 1", "for the kind code")]
    [InlineData("""{"text":"q","answer":"1","group":"g","similarity":"S1"}""", "line 1", "S2, S3, S4")]
    [InlineData("""{"text":"q","answer":"1","group":"g","similarity":"S2"}""", "group g", "no base question")]
    [InlineData("{\"text\":\"q\",\"answer\":\"1\",\"group\":\"g\"}\n{\"text\":\"r\",\"answer\":\"1\"}", "line 2", "group")]
    [InlineData("{\"text\":\"q\",\"answer\":\"1\",\"group\":\"g\"}\n{\"text\":\"r\",\"answer\":\"1\",\"group\":\"g\"}", "line 2", "line 1")]
    [InlineData("{\"text\":\"q\",\"answer\":\"1\"}\n{\"text\":\"q\",\"answer\":\"1\"}", "twice", "")]
    public void Load_Malformed_NamesLineAndField(string content, string where, string what)
    {
        var error = Assert.Throws<InvalidDataException>(() => Load(content));
        Assert.Contains(where, error.Message, StringComparison.Ordinal);
        Assert.Contains(what, error.Message, StringComparison.Ordinal);
    }

    private IExampleSource Load(params string[] lines)
    {
        File.WriteAllLines(_file, lines);
        return QuestionFile.Load(_file);
    }

    private static IEnumerable<string> Groups() =>
        from name in (string[])["a", "b"]
        from question in (string[])
        [
            $$"""{"id":"{{name}}","text":"What does 1 of {{name}} cost?","answer":"1","group":"{{name}}"}""",
            $$"""{"text":"The price of 1 of {{name}}?","answer":"1","group":"{{name}}","similarity":"S2"}""",
            $$"""{"text":"How much is 1 of {{name}}?","answer":"1","group":"{{name}}","similarity":"S2"}""",
            $$"""{"text":"What do 2 of {{name}} cost?","answer":"2","group":"{{name}}","similarity":"S3"}""",
        ]
        select question;
}
