using NJsonSchema;
using SpeedupLlm.Gateway.Configuration;
using SpeedupLlm.Gateway.Tenants;
using SpeedupLlm.Testing;

namespace SpeedupLlm.Gateway.Tests;

public sealed class ConfigurationTests
{
    private static string Docs(string name) => Path.Combine(Testing.Repository.Root, "docs", name);

    [Fact]
    public void Example_OfTheDocs_IsValid()
    {
        var options = ConfigurationFile.Read(Docs("gateway.example.yaml"));
        Assert.Equal(ExperienceMode.Observe, options.Mode);
        Assert.Equal(["local", "openai"], options.Upstreams.Select(u => u.Name));
        Assert.Equal(32768, options.Upstreams[0].ContextTokens);
        Assert.Equal(90, options.RetentionDays);
    }

    [Fact]
    public void Json_IsReadAsYamlIs() => Assert.Equal(0.25, ConfigurationFile.Parse("""{ "mode": "canary", "canaryShare": 0.25 }""").CanaryShare);

    [Fact]
    public void Text_InQuotes_StaysText() => Assert.Equal("123", ConfigurationFile.Parse("upstreams: [{name: \"123\", url: 'http://x/v1'}]").Upstreams[0].Name);

    public static TheoryData<string, string> Wrong() => new()
    {
        { "treatmint: {}", "treatmint" },
        { "mode: sideways", "mode" },
        { "canaryShare: 2", "canaryShare" },
        { "treatment: {scaling: best-of-m}", "treatment.scaling" },
        { "treatment: {scorer: oracle}", "treatment.scorer" },
        { "upstreams: [{url: 'http://x/v1'}]", "name" },
        { "upstreams: [{name: a, url: 'ftp://x'}]", "upstreams[0].url" },
        { "upstreams: [{name: a, url: 'http://x/v1'}, {name: a, url: 'http://y/v1'}]", "upstreams" },
        { "tenants: [{name: a, keys: [secret]}]", "tenants[0].keys" },
        { "urls: ['http://0.0.0.0:8080']", "urls" },
        { "limits: {concurrent: 0}", "limits.concurrent" },
        { "limits: {concurrent: many}", "concurrent" },
        { "upstreams: [", "line" },
        { "- a", "the file" },
        { "upstreams:", "upstreams" },
        { "? [a]\n: b", "line" },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void Mistakes_AreNamedByTheirPlace(string text, string place)
    {
        var error = Assert.Throws<InvalidDataException>(() => ConfigurationFile.Parse(text).Validate());
        Assert.Contains(place, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
        Assert.DoesNotContain("SpeedupLlm.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Schema_KnowsEveryFieldAndRefusesTheSameMistakes()
    {
        var schema = await JsonSchema.FromFileAsync(Docs("gateway.schema.json"));
        var full = $$"""
            {"formatVersion":1,"urls":["http://127.0.0.1:1"],"store":"x","mode":"on","canaryShare":0.1,"controlShare":0,"observeShare":1,
            "treatment":{"scaling":"off","memory":"none","scorer":"judge","tau":0.5,"samples":1},
            "upstreams":[{"name":"a","url":"http://x/v1","models":["m"],"keyVariable":"K","timeoutSeconds":1,"contextTokens":1}],
            "tenants":[{"name":"t","keys":["{{ApiKey.HashOf("k")}}"],"requestsPerMinute":1,"costPerDay":1.5}],"adminKey":"{{ApiKey.HashOf("a")}}",
            "limits":{"requestBytes":1,"concurrent":1,"queue":0,"requestSeconds":1,"retrySeconds":0,"keepAliveSeconds":1,"samples":1,"shutdownSeconds":0},
            "retentionDays":1,"auditLog":"x","logLevel":"information","otlp":"http://127.0.0.1:4318"}
            """;

        Assert.Empty(schema.Validate(full));
        ConfigurationFile.Parse(full).Validate();
        // every property of the records stands in the text above, so that none is missing in the schema
        foreach (var property in new[] { typeof(GatewayOptions), typeof(TreatmentOptions), typeof(UpstreamOptions), typeof(TenantOptions), typeof(LimitOptions) }
            .SelectMany(t => t.GetProperties()).Select(p => char.ToLowerInvariant(p.Name[0]) + p.Name[1..]))
            Assert.Contains($"\"{property}\"", full, StringComparison.Ordinal);
        Assert.NotEmpty(schema.Validate("""{"treatmint":{}}"""));
        Assert.NotEmpty(schema.Validate("""{"mode":"sideways"}"""));
        Assert.NotEmpty(schema.Validate("""{"tenants":[{"name":"a","keys":["secret"]}]}"""));
    }

    [Fact]
    public void Key_OfAnUpstreamThatIsNotSet_KeepsTheServerFromStarting()
    {
        var options = new GatewayOptions { Upstreams = [new() { Name = "a", Url = new("http://127.0.0.1:1/v1"), KeyVariable = "NOT_SET" }] };
        var error = Assert.Throws<InvalidDataException>(() => new Forwarding.UpstreamTable(options, new()
        {
            Store = new FailingStore(),
            Connect = (_, _) => throw new InvalidOperationException(),
            Variable = _ => null,
        }));
        Assert.Contains("NOT_SET", error.Message, StringComparison.Ordinal);
    }
}
