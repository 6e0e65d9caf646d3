using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;
using SpeedupLlm.Compute;
using SpeedupLlm.Memory;
using SpeedupLlm.Scoring;
using SpeedupLlm.Sqlite;

namespace SpeedupLlm.Benchmarks;

/// <summary>What <c>auto</c> adds to a question by relevancy, look-up and guard: a model that answers at once, with and without it, on a store of many episodes.</summary>
internal static class AutoOverhead
{
    private const int Questions = 400;

    /// <param name="arguments">A store that <c>store</c> made, with its model's fingerprint.</param>
    public static async Task RunAsync(string[] arguments)
    {
        await using var store = await SqliteStore.OpenAsync(arguments[0], null, CancellationToken.None);
        var health = await store.CheckAsync(CancellationToken.None);
        var model = new Instant(arguments[1]);
        // the first round reads what is on disk
        foreach (var round in (int[])[0, 1])
        {
            var bare = await TimeAsync(model, null, null);
            var solve = await TimeAsync(model, new Auto(), store);
            if (round == 1)
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"auto    {health.Episodes:N0} episodes   a question without {bare:0.00} ms, with {solve:0.00} ms: {solve - bare:0.00} ms more (3 ms allowed at 100,000)"));
        }
    }

    private static async Task<double> TimeAsync(IChatClient model, IMemory? memory, SqliteStore? store)
    {
        await using var solver = new Solver(model, new() { Memory = memory, Store = store, Scorer = new EquationsScorer() });
        var times = new List<double>();
        for (var i = 0; i < Questions; i++)
        {
            var question = Question.FromText(string.Create(CultureInfo.InvariantCulture, $"Gumoke North posts parcels. {i % 7 + 1} km and {i % 5 + 2} kg cost {i}. What do 5 km and 5 kg cost?"));
            var start = Stopwatch.GetTimestamp();
            await solver.SolveAsync(question, CancellationToken.None);
            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        times.Sort();
        return times[Questions / 2];
    }

    /// <summary>Answers at once.</summary>
    private sealed class Instant(string fingerprint) : IChatClient
    {
        public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
            Task.FromResult(new ChatResponse(new ChatMessage(ChatRole.Assistant, "2 + 2 = 4. Answer 4.")) { FinishReason = ChatFinishReason.Stop });

        public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            await Task.CompletedTask;
            foreach (var update in (await GetResponseAsync(messages, options, cancellationToken)).ToChatResponseUpdates())
                yield return update;
        }

        public object? GetService(Type serviceType, object? serviceKey = null) =>
            serviceType == typeof(ModelTraits) ? new ModelTraits(fingerprint, 0, LogProbs: false, Seed: false, Adapters: false, "compact") : null;

        public void Dispose()
        {
        }
    }
}
