using Microsoft.Extensions.AI;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using SpeedupLlm.Experience;
using SpeedupLlm.Reasoning;
using SpeedupLlm.Sqlite;
using SpeedupLlm.Testing;

namespace SpeedupLlm.DependencyInjection.Tests;

public sealed class ServiceCollectionExtensionsTests : IDisposable
{
    private const string Question = "How much are 40 and 2?";
    private readonly string _folder = Directory.CreateTempSubdirectory("speedup-services-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static IConfiguration Configuration(params (string Name, string Value)[] settings) =>
        new ConfigurationBuilder().AddInMemoryCollection(settings.Select(s => KeyValuePair.Create("SpeedupLlm:" + s.Name, (string?)s.Value))).Build();

    /// <summary>As in docs/middleware.md.</summary>
    private async Task<ServiceProvider> ApplicationAsync(params (string Name, string Value)[] settings)
    {
        var services = new ServiceCollection();
        var store = await SqliteStore.OpenAsync(Path.Combine(_folder, "experience.db"), null, CancellationToken.None);
        services.AddSingleton<IExperienceStore>(_ => store);
        services.AddSpeedupLlm(_ => ScriptedApprentice.Create(1)).Bind(Configuration(settings).GetSection("SpeedupLlm"));
        return services.BuildServiceProvider(new ServiceProviderOptions { ValidateOnBuild = true, ValidateScopes = true });
    }

    [Fact]
    public async Task AddSpeedupLlm_AfterARestart_AnswersFromTheStoreOfTheCollection()
    {
        string episode;
        await using (var before = await ApplicationAsync(("ControlShare", "0")))
        {
            var answer = await before.GetRequiredService<IChatClient>().GetResponseAsync(Question);
            episode = ExperienceReport.Of(answer.AdditionalProperties)!.Episode!;
            // it is learnt while the provider is disposed, before the store goes
        }
        await using var after = await ApplicationAsync(("ControlShare", "0"));
        var again = ExperienceReport.Of((await after.GetRequiredService<IChatClient>().GetResponseAsync(Question)).AdditionalProperties)!;
        Assert.Equal((StopReason.Recalled, episode), (again.Stop, again.Episode));
    }

    [Fact]
    public async Task AddSpeedupLlm_TheProviderIsDisposed_DisposesTheModelOnce()
    {
        var model = new Disposed(ScriptedApprentice.Create(1));
        var services = new ServiceCollection();
        services.AddSpeedupLlm(_ => model);
        await using (var provider = services.BuildServiceProvider())
            Assert.Same(provider.GetRequiredService<IChatClient>(), provider.GetRequiredService<IChatClient>());
        Assert.Equal(1, model.Times);
    }

    [Fact]
    public async Task AddKeyedSpeedupLlm_HasSettingsOfItsOwn()
    {
        var services = new ServiceCollection();
        services.AddSpeedupLlm(_ => ScriptedApprentice.Create(1)).Bind(Configuration(("Mode", "Observe")).GetSection("SpeedupLlm"));
        services.AddKeyedSpeedupLlm("cheap", _ => ScriptedApprentice.Create(1)).Bind(Configuration(("Mode", "off"), ("Scaling", "long-cot"), ("Memory", "none")).GetSection("SpeedupLlm"));
        await using var provider = services.BuildServiceProvider();
        Assert.Equal(ExperienceMode.Observe, provider.GetRequiredService<IChatClient>().GetService<ExperiencedChatClient>()!.Mode);
        Assert.Equal(ExperienceMode.Off, provider.GetRequiredKeyedService<IChatClient>("cheap").GetService<ExperiencedChatClient>()!.Mode);
    }

    [Fact]
    public async Task Change_SeesTheProviderAndWhatConfigurationSaid()
    {
        var services = new ServiceCollection();
        var clock = new FakeTime();
        services.AddSingleton<TimeProvider>(clock);
        ExperienceOptions? seen = null;
        services.AddSpeedupLlm(_ => ScriptedApprentice.Create(1), (provider, options) =>
        {
            Assert.Same(clock, provider.GetRequiredService<TimeProvider>());
            seen = options;
            return options with { MayLearn = _ => false };
        }).Bind(Configuration(("ControlShare", "0"), ("Tau", "0.75"), ("Scaling", "self-refine"), ("Memory", "none")).GetSection("SpeedupLlm"));
        await using var provider = services.BuildServiceProvider();

        var answer = await provider.GetRequiredService<IChatClient>().GetResponseAsync(Question);

        Assert.Equal((0, 0.75, "self-refine", null, null), (seen!.ControlShare, seen.Solver.Threshold, seen.Solver.Scaling.Name, seen.Solver.Memory, seen.Solver.Store));
        Assert.Same(clock, seen.Solver.Clock);
        Assert.Null(ExperienceReport.Of(answer.AdditionalProperties)!.Episode);
    }

    [Theory]
    [InlineData("Scaling", "best-of-m", typeof(UnknownNameException))]
    [InlineData("Memory", "long", typeof(UnknownNameException))]
    [InlineData("ControlShare", "1", typeof(ArgumentOutOfRangeException))]
    [InlineData("Samples", "0", typeof(ArgumentOutOfRangeException))]
    public async Task Client_OfWrongSettings_IsNotMade(string name, string value, Type failure)
    {
        await using var provider = await ApplicationAsync((name, value));
        Assert.Throws(failure, () => provider.GetRequiredService<IChatClient>());
    }

    /// <summary>Counts how often it is disposed.</summary>
    private sealed class Disposed(IChatClient model) : DelegatingChatClient(model)
    {
        public int Times { get; private set; }

        protected override void Dispose(bool disposing) => Times++;
    }
}
