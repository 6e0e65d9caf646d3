using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Microsoft.Extensions.AI;
using SpeedupLlm.Compute;
using SpeedupLlm.Experience;
using SpeedupLlm.Reasoning;

namespace SpeedupLlm.Testing;

/// <summary>Traffic of many tenants and users over one store, by way of the client that the gateway uses: all ask the same questions, each has a secret of its own, and nobody may ever be shown another's.</summary>
public static partial class MixedTenants
{
    private const int Questions = 12, Workers = 8;

    // names that somebody could mix up: by case, blanks, Unicode form, a null character, or because one is a user's name elsewhere
    private static readonly string[] Tenants =
        ["a", "A", "a ", "a\0", "a\0b", "a/b", "a/b/c", "\u00e9", "e\u0301", "local", "tenant", "tenant1", "tenant11", "null", "0", "-", "%", "a'b", "\"a\"", "u", "v", new('x', 300), new string('x', 299) + "y", "🚀"];

    private static readonly string?[] Users = [null, "u", "U", "a/b"];

    /// <summary>How many look-ups to make: <c>SPEEDUP_LOOKUPS</c>, or a number for every run.</summary>
    public static int Lookups(int otherwise) => int.Parse(Environment.GetEnvironmentVariable("SPEEDUP_LOOKUPS") ?? otherwise.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    /// <summary>Learns through one store and looks up through all of them, and asserts that no look-up finds what is another's.</summary>
    /// <param name="stores">Handles of one store: as many processes or replicas.</param>
    /// <param name="lookups">How many look-ups.</param>
    public static async Task AssertNoForeignHitAsync(IReadOnlyList<IExperienceStore> stores, int lookups)
    {
        var model = new Confidant();
        var learns = true;
        ExperiencedChatClient ClientOf(IExperienceStore store) => new(model, new()
        {
            Mode = ExperienceMode.On,
            ControlShare = 0,
            MayLearn = _ => Volatile.Read(ref learns),
            Solver = new() { Store = store, Scaling = new BestOfN(new() { Samples = 1 }) },
        });
        var clients = stores.Select(ClientOf).ToList();
        var callers = Tenants.SelectMany(t => Users.Select(u => new Caller(t, u))).ToList();
        var owners = new ConcurrentDictionary<string, Caller>(StringComparer.Ordinal);
        for (var who = 0; who < callers.Count; who++)
        {
            // a few questions each, so that most are known to others only; some learn nothing
            for (var i = 0; i < 4 && who % 8 != 7; i++)
                owners[(await AskAsync(clients[0], callers, who, (who + 3 * i) % Questions)).Report.Episode!] = callers[who];
            await clients[0].FlushAsync();
        }
        Volatile.Write(ref learns, false);
        foreach (var store in stores)
        {
            for (var i = 0; (await store.CheckAsync(CancellationToken.None)).Episodes < owners.Count && i < 600; i++)
                await Task.Delay(50);
        }

        long answered = 0, hinted = 0;
        var foreign = new ConcurrentQueue<string>();
        await Parallel.ForAsync(0, Workers, async (worker, _) =>
        {
            var chance = new StreamRandom(StreamKey.Root(26).Child(worker));
            for (var i = worker; i < lookups; i += Workers)
            {
                var who = chance.Next(callers.Count);
                var (text, report) = await AskAsync(chance.Pick(clients), callers, who, chance.Next(Questions));
                Interlocked.Add(ref answered, report.Stop == StopReason.Recalled ? 1 : 0);
                Interlocked.Add(ref hinted, report.Stop != StopReason.Recalled && report.Memory!.IsUsed ? 1 : 0);
                // what two ask at once is answered from no episode; its text says whose it is
                foreach (var source in report.Memory!.Sources.Where(s => owners.TryGetValue(s, out var owner) && !MaySee(callers[who], owner)))
                    foreign.Enqueue($"{callers[who]} was shown {source}");
                if (Secret().Matches(text).Any(m => !MaySee(callers[who], callers[int.Parse(m.Groups[1].ValueSpan, CultureInfo.InvariantCulture)])))
                    foreign.Enqueue($"{callers[who]} was answered “{text}”");
            }
        });

        Assert.True(foreign.IsEmpty && model.Leaks.IsEmpty, $"{foreign.Count} foreign hits and {model.Leaks.Count} foreign prompts in {lookups} look-ups, such as\n{string.Join('\n', foreign.Concat(model.Leaks).Take(5))}");
        // the look-ups were worth something: some were answered, some got cases, and some found nothing
        Assert.True(answered > lookups / 10 && hinted > lookups / 20 && answered + hinted < lookups, $"{answered} answered and {hinted} with cases of {lookups}");
        foreach (var client in clients)
            await client.FlushAsync();

        // a caller without a user sees the whole tenant
        static bool MaySee(Caller asks, Caller owner) => asks.Tenant == owner.Tenant && (asks.User is null || asks.User == owner.User);

        async Task<(string Text, ExperienceReport Report)> AskAsync(ExperiencedChatClient client, List<Caller> callers, int who, int question)
        {
            model.Begin(number => MaySee(callers[who], callers[number]), who);
            var text = string.Create(CultureInfo.InvariantCulture, $"Gumoke North posts parcels. {question + 2} km and {2 * question + 3} kg cost 22. What do 5 km and 5 kg cost?");
            var response = await client.For(new SolveRequest { Caller = callers[who] }).GetResponseAsync([new(ChatRole.User, text)]);
            return (response.Text, ExperienceReport.Of(response.AdditionalProperties)!);
        }
    }

    [GeneratedRegex("secret-([0-9]+)-")]
    private static partial Regex Secret();

    /// <summary>A model that answers with the secret of whoever asks, and looks for those of others in what it is told. Thread-safe.</summary>
    private sealed class Confidant : IChatClient
    {
        private readonly AsyncLocal<(Func<int, bool> MaySee, int Who)> _asks = new();

        public ConcurrentQueue<string> Leaks { get; } = new();

        public void Begin(Func<int, bool> maySee, int who) => _asks.Value = (maySee, who);

        public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
        {
            var prompt = string.Concat(messages.Select(m => m.Text));
            var (maySee, who) = _asks.Value;
            if (Secret().Matches(prompt).Any(m => !maySee(int.Parse(m.Groups[1].ValueSpan, CultureInfo.InvariantCulture))))
                Leaks.Enqueue(prompt);
            var said = prompt.Contains("SCORE: n", StringComparison.Ordinal) ? "SCORE: 9" : $"It is secret-{who}-.\nAnswer: {who}";
            return Task.FromResult(new ChatResponse(new ChatMessage(ChatRole.Assistant, said)) { FinishReason = ChatFinishReason.Stop });
        }

        public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            foreach (var update in (await GetResponseAsync(messages, options, cancellationToken)).ToChatResponseUpdates())
                yield return update;
        }

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose()
        {
        }
    }
}
