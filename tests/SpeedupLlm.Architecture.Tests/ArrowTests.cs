using System.Reflection;
using System.Xml.Linq;

namespace SpeedupLlm.Architecture.Tests;

/// <summary>The arrows of docs/design.md: which project may use which.</summary>
public sealed class ArrowTests
{
    private const string Core = "SpeedupLlm";

    private static readonly Dictionary<string, string[]> Arrows = new(StringComparer.Ordinal)
    {
        [Core] = [],
        ["SpeedupLlm.DependencyInjection"] = [Core],
        ["SpeedupLlm.Sqlite"] = [Core],
        ["SpeedupLlm.PostgreSql"] = [Core],
        ["SpeedupLlm.Charts"] = [],
        ["SpeedupLlm.Gateway"] = [Core, "SpeedupLlm.Charts"],
        ["SpeedupLlm.Models"] = [Core],
        ["SpeedupLlm.Transformer"] = [Core],
        ["SpeedupLlm.Worlds"] = [Core],
        ["SpeedupLlm.Benchmark"] = [Core, "SpeedupLlm.Charts", "SpeedupLlm.Worlds"],
        ["SpeedupLlm.Cli"] = [Core, "SpeedupLlm.Sqlite", "SpeedupLlm.PostgreSql", "SpeedupLlm.Gateway", "SpeedupLlm.Models", "SpeedupLlm.Transformer", "SpeedupLlm.Worlds", "SpeedupLlm.Benchmark"],
    };

    public static TheoryData<string> Projects() => [.. Repository.SourceProjects.Select(p => Path.GetFileNameWithoutExtension(p)!)];

    [Fact]
    public void Projects_AreThoseOfTheDesign() =>
        Assert.Equal(Arrows.Keys.Order(StringComparer.Ordinal), Repository.SourceProjects.Select(p => Path.GetFileNameWithoutExtension(p)!).Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Projects))]
    public void ProjectReferences_FollowTheArrows(string project)
    {
        var file = XDocument.Load(Repository.SourceProjects.Single(p => Path.GetFileNameWithoutExtension(p) == project));
        var references = file.Descendants("ProjectReference").Select(r => Path.GetFileNameWithoutExtension(r.Attribute("Include")!.Value.Replace('\\', '/')));
        Assert.Empty(references.Except(Arrows[project]));
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void Assemblies_FollowTheArrows(string project)
    {
        var used = Load(project).GetReferencedAssemblies().Select(a => ProjectOf(a.Name!)).OfType<string>();
        Assert.Empty(used.Except(Arrows[project]));
    }

    [Fact]
    public void Library_StandsOnAbstractionsOnly()
    {
        var allowed = new[] { "Microsoft.Extensions.AI.Abstractions", "System.", "netstandard", "mscorlib" };
        var used = Load(Core).GetReferencedAssemblies().Select(a => a.Name!);
        Assert.All(used, name => Assert.Contains(allowed, a => name == a || (a.EndsWith('.') && name.StartsWith(a, StringComparison.Ordinal))));
    }

    [Theory]
    [InlineData("Model")]
    [InlineData("Training")]
    [InlineData("Tokenizer")]
    [InlineData("Decoding")]
    public void EmbeddedReasoner_ItsPureParts_KnowNoChatClient(string folder)
    {
        // only Adapter makes it an IChatClient
        var files = Directory.GetFiles(Path.Combine(Repository.Root, "src", "SpeedupLlm.Transformer", folder), "*.cs", SearchOption.AllDirectories);
        Assert.NotEmpty(files);
        Assert.Empty(files.Where(f => File.ReadAllText(f).Contains("Microsoft.Extensions.AI", StringComparison.Ordinal)).Select(Path.GetFileName));
    }

    private static Assembly Load(string project) => Assembly.Load(project == "SpeedupLlm.Cli" ? "speedup" : project);

    private static string? ProjectOf(string assembly) => assembly == "speedup" ? "SpeedupLlm.Cli" : Arrows.ContainsKey(assembly) ? assembly : null;
}
