using System.Collections.Concurrent;
using Microsoft.Extensions.AI;
using SpeedupLlm.Compute;
using SpeedupLlm.Experience;
using SpeedupLlm.Gateway.Configuration;
using SpeedupLlm.Gateway.Errors;
using SpeedupLlm.Gateway.Forwarding;
using SpeedupLlm.Gateway.Tenants;
using SpeedupLlm.Memory;
using SpeedupLlm.Reasoning;

namespace SpeedupLlm.Gateway.Completions;

/// <summary>A client with experience for every model and treatment that is asked for. Thread-safe.</summary>
internal sealed class ExperiencedModels(GatewayOptions options, GatewayParts parts, GatewaySwitch mode, Savings savings, Access access, ErrorExplanation explanation) : IAsyncDisposable
{
    // names of models come from requests, so there is an end to what is kept of them
    private const int Kept = 256;

    private readonly ConcurrentDictionary<Key, Lazy<ExperiencedChatClient>> _clients = [];

    /// <summary>The client of a model under a treatment.</summary>
    /// <param name="upstreams">Who serves the model, in the order of asking; empty: the embedded one.</param>
    /// <param name="model">The model's name there.</param>
    /// <param name="treatment">How questions are answered.</param>
    /// <param name="asked">Whether requests ask for it by name: then no lot is drawn, and the mode is on.</param>
    /// <exception cref="MemoryNotSupportedException">The memory cannot work with this model.</exception>
    public ExperiencedChatClient Of(IReadOnlyList<Upstream> upstreams, string model, TreatmentOptions treatment, bool asked)
    {
        var key = new Key(upstreams.Count == 0 ? "" : upstreams[0].Options.Name, upstreams.Count == 0 ? "" : model, treatment, asked);
        if (!_clients.TryGetValue(key, out var known))
        {
            if (_clients.Count >= Kept && _clients.FirstOrDefault(c => c.Value.IsValueCreated) is { Value: not null } one && _clients.TryRemove(one))
                _ = one.Value.Value.FlushAsync();
            known = _clients.GetOrAdd(key, k => new(() => Make(upstreams, model, k)));
        }
        var client = known.Value;
        // what turns everything off turns off what is asked for, too
        var wanted = asked && mode.Mode != ExperienceMode.Off ? ExperienceMode.On : mode.Mode;
        if (client.Mode != wanted)
            client.Mode = wanted;
        return client;
    }

    /// <summary>Hears what to think of a remembered answer; says whether the tenant has such an episode.</summary>
    public async ValueTask<bool> HearAsync(string tenant, string episode, Feedback feedback, CancellationToken cancellationToken)
    {
        foreach (var client in _clients.Values.Where(c => c.IsValueCreated).Select(c => c.Value))
            await client.FlushAsync(cancellationToken);
        if (await parts.Store.GetEpisodeAsync(tenant, episode, cancellationToken) is not { } known)
            return false;
        // the memory that learnt it hears it too, if it is at work
        var at = _clients.Values.FirstOrDefault(c => c.IsValueCreated && c.Value.GetService<ModelTraits>()?.Fingerprint == known.Scope.ModelFingerprint);
        return at is not null
            ? await at.Value.FeedbackAsync(episode, feedback, new(tenant, known.Scope.User, known.Scope.Conversation), cancellationToken)
            : await parts.Store.HearAsync(tenant, episode, feedback, cancellationToken) is not null;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients.Values.Where(c => c.IsValueCreated))
            await client.Value.DisposeAsync();
    }

    private sealed record Key(string Upstream, string Model, TreatmentOptions Treatment, bool Asked);

    private ExperiencedChatClient Make(IReadOnlyList<Upstream> upstreams, string model, Key key)
    {
        IChatClient client = upstreams.Count == 0
            ? new Borrowed(parts.Embedded!.Client)
            : new FailOver([.. upstreams.Select(u => new UpstreamModel(u, parts.Connect(u.Options, model)))], explanation, TimeSpan.FromSeconds(options.Limits.RetrySeconds), parts.Clock);
        return new(new PlainForwarding(client), new()
        {
            Solver = SolverOf(key.Treatment),
            Mode = ExperienceMode.On,
            CanaryShare = options.CanaryShare,
            ControlShare = key.Asked || upstreams.Count == 0 ? 0 : options.ControlShare,
            ObserveShare = options.ObserveShare,
            Savings = savings,
        });
    }

    private SolverOptions SolverOf(TreatmentOptions treatment) => new()
    {
        Scaling = treatment.Scaling switch
        {
            "best-of-n" => new BestOfN(new() { Samples = treatment.Samples }),
            "self-consistency" => new SelfConsistency(new() { Samples = treatment.Samples }),
            var name => Catalogue.ScalingMethods.Create(name),
        },
        Scorer = Catalogue.Scorers.Create(treatment.Scorer),
        Threshold = treatment.Tau,
        Memory = treatment.Memory == NoMemory.CatalogueName ? null : Catalogue.Memories.Create(treatment.Memory),
        Store = treatment.Memory == NoMemory.CatalogueName ? null : parts.Store,
        Clock = parts.Clock,
        // who goes away has spent it all the same (case 6)
        Ended = solution => access.Spend(solution.Scope.Tenant, PriceSheet.Relative.Cost(solution.Bill)),
    };

    /// <summary>A model that belongs to somebody else: disposing the client around it leaves it.</summary>
    private sealed class Borrowed(IChatClient model) : DelegatingChatClient(model)
    {
        protected override void Dispose(bool disposing)
        {
        }
    }
}
