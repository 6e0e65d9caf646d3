using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using SpeedupLlm.Experience;

namespace SpeedupLlm;

/// <summary>Puts chat clients with experience into a service collection.</summary>
public static class ServiceCollectionExtensions
{
    /// <summary>Adds a singleton <see cref="IChatClient"/> that answers as a model does, and cheaper the more it is used.</summary>
    /// <remarks>
    /// Experience is kept in the collection's <see cref="IExperienceStore"/>, and in the process where it has none; the clock is its <see cref="TimeProvider"/>, or the
    /// system's. A provider that is disposed asynchronously waits for what is still being learnt, then disposes the model, and the store after it if it made both.
    /// <c>client.GetService&lt;ExperiencedChatClient&gt;()</c> is the client itself: modes, feedback, savings.
    /// </remarks>
    /// <param name="services">Where to.</param>
    /// <param name="model">Makes the model; it belongs to the client, and is disposed with it.</param>
    /// <param name="change">Sets what configuration cannot: who asks, what may be learnt, prompts, budgets. Null: nothing.</param>
    /// <returns>The settings: <c>.Bind(configuration.GetSection("SpeedupLlm"))</c> takes them from configuration.</returns>
    public static OptionsBuilder<SpeedupLlmSettings> AddSpeedupLlm(
        this IServiceCollection services, Func<IServiceProvider, IChatClient> model, Func<IServiceProvider, ExperienceOptions, ExperienceOptions>? change = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(model);
        services.AddSingleton<IChatClient>(provider => Make(provider, Options.DefaultName, model, change));
        return services.AddOptions<SpeedupLlmSettings>();
    }

    /// <summary>Adds another one under a key; its settings are those of that name. Otherwise as <see cref="AddSpeedupLlm"/>.</summary>
    /// <param name="services">Where to.</param>
    /// <param name="key">The service's key, and the name of its settings.</param>
    /// <param name="model">Makes the model.</param>
    /// <param name="change">Sets what configuration cannot, or null.</param>
    /// <returns>The settings of that name.</returns>
    public static OptionsBuilder<SpeedupLlmSettings> AddKeyedSpeedupLlm(
        this IServiceCollection services, string key, Func<IServiceProvider, IChatClient> model, Func<IServiceProvider, ExperienceOptions, ExperienceOptions>? change = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrEmpty(key);
        ArgumentNullException.ThrowIfNull(model);
        services.AddKeyedSingleton<IChatClient>(key, (provider, _) => Make(provider, key, model, change));
        return services.AddOptions<SpeedupLlmSettings>(key);
    }

    private static ExperiencedChatClient Make(
        IServiceProvider provider, string name, Func<IServiceProvider, IChatClient> model, Func<IServiceProvider, ExperienceOptions, ExperienceOptions>? change)
    {
        var options = provider.GetRequiredService<IOptionsMonitor<SpeedupLlmSettings>>().Get(name).ToOptions();
        options = options with
        {
            Solver = options.Solver with
            {
                Store = options.Solver.Memory is null ? null : provider.GetService<IExperienceStore>(),
                Clock = provider.GetService<TimeProvider>() ?? TimeProvider.System,
            },
        };
        return model(provider).WithExperience(change?.Invoke(provider, options) ?? options);
    }
}
