using System.Globalization;
using Microsoft.Extensions.AI;
using SpeedupLlm.Compute;
using SpeedupLlm.Experience;
using SpeedupLlm.Memory;
using SpeedupLlm.Prompts;
using SpeedupLlm.Reasoning;
using SpeedupLlm.Relevancy;
using SpeedupLlm.Scoring;

namespace SpeedupLlm.Tests.Memory;

/// <summary>A memory's surroundings in a test: a store, a scripted writer of lessons, a trainer, and the bill.</summary>
internal sealed class Remembering : IMemoryContext
{
    public static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly Lock _lock = new();
    private readonly List<(Prompt Prompt, StreamKey Stream)> _asked = [];
    private readonly List<Charge> _charges = [];
    private int _clock;

    public Remembering(IExperienceStore? store = null, Scope? scope = null)
    {
        Watched = store as WatchedStore ?? new WatchedStore(store ?? new InMemoryStore());
        Scope = scope ?? new("tenant", null, null, "model", "prompts");
        FakeTrainer = new(Scope.ModelFingerprint);
        Trainer = FakeTrainer;
        Script = p => Lesson(p);
    }

    public IExperienceStore Store => Watched;

    public WatchedStore Watched { get; }

    public Scope Scope { get; set; }

    public IPromptSet Prompts { get; init; } = new CompactPrompts();

    public ModelTraits Model { get; set; } = new("model", 100_000, LogProbs: false, Seed: true, Adapters: true, "compact");

    public ITextEmbedder Embedder { get; init; } = new WordEmbedder();

    public PromptTask Entry { get; set; } = PromptTask.Guess;

    public string Scaling { get; set; } = "best-of-n";

    public StreamKey Stream { get; set; } = StreamKey.Root(1);

    public FakeTrainer FakeTrainer { get; }

    public ITokenCounter? Counter { get; set; }

    public DateTimeOffset Now { get; set; } = Start;

    public IAnswerComparer Answers { get; init; } = new AnswerComparer();

    public IAdapterTrainer? Trainer { get; set; }

    /// <summary>What the model writes.</summary>
    public Func<Prompt, Reply> Script { get; set; }

    /// <summary>Happens during a call.</summary>
    public Func<Task>? During { get; set; }

    public IReadOnlyList<(Prompt Prompt, StreamKey Stream)> Asked
    {
        get
        {
            lock (_lock)
                return [.. _asked];
        }
    }

    public IReadOnlyList<Charge> Charges
    {
        get
        {
            lock (_lock)
                return [.. _charges];
        }
    }

    public async ValueTask<Reply> AskAsync(Prompt prompt, StreamKey stream, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_lock)
            _asked.Add((prompt, stream));
        if (During is { } during)
            await during();
        await Task.Yield();
        cancellationToken.ThrowIfCancellationRequested();
        return Script(prompt);
    }

    public void Charge(Charge charge)
    {
        lock (_lock)
            _charges.Add(charge);
    }

    /// <summary>What each call costs; training costs nothing here.</summary>
    public decimal CallCost { get; set; }

    public decimal Spent => CallCost * Asked.Count;

    /// <summary>The same store, seen by somebody else.</summary>
    public Remembering As(Scope scope) => new(Watched, scope) { Prompts = Prompts, Embedder = Embedder, Entry = Entry, Script = Script };

    /// <summary>An accepted episode of this scope; its answer carries its number as a mark.</summary>
    public Episode Episode(int number, string? question = null, Verdict verdict = Verdict.SelfJudged, string? answer = null, Scope? scope = null)
    {
        question ??= string.Create(CultureInfo.InvariantCulture, $"What do {number} parcels of firm{number} cost?");
        return new()
        {
            Id = string.Create(CultureInfo.InvariantCulture, $"episode-{number:000}"),
            Scope = scope ?? Scope,
            QuestionId = StreamKey.Root(0).Child(question).ToString(),
            Question = question,
            Answer = answer ?? string.Create(CultureInfo.InvariantCulture, $"Try mark{number}. Answer {number}."),
            Final = number.ToString(CultureInfo.InvariantCulture),
            Verdict = verdict,
            At = Start.AddMinutes(Interlocked.Increment(ref _clock)),
            Embedding = Embedder.Embed(question),
            EmbeddingFingerprint = Embedder.Fingerprint,
        };
    }

    /// <summary>Stores an episode and has the memory learn it, as the solver does.</summary>
    public async Task<Episode> LiveAsync(IMemory memory, Episode episode, CancellationToken cancellationToken = default)
    {
        await Store.AppendAsync(episode, CancellationToken.None);
        await memory.LearnAsync(episode, this, cancellationToken);
        return episode;
    }

    public ValueTask<Recalled> RecallAsync(IMemory memory, string question) => memory.RecallAsync(Question.FromText(question), this, CancellationToken.None);

    /// <summary>A lesson that carries the marks of everything in its prompt.</summary>
    private static Reply Lesson(Prompt prompt) =>
        new("Lesson: " + string.Join(' ', prompt.Messages[^1].Text.Split(' ', '.').Where(w => w.StartsWith("mark", StringComparison.Ordinal)).Distinct()) + ".", ChatFinishReason.Stop, 5);
}

/// <summary>A vector of hashed words; numbers count as words.</summary>
internal sealed class WordEmbedder : ITextEmbedder
{
    public string Fingerprint => "words";

    public int Dimensions => 64;

    public ReadOnlyMemory<float> Embed(string text)
    {
        var vector = new float[Dimensions];
        foreach (var word in text.Split((char[])[' ', '?', '.', ',', '\u200B', '\n'], StringSplitOptions.RemoveEmptyEntries))
            vector[(int)(StreamKey.Root(0).Child(word).Hi % (ulong)Dimensions)]++;
        var length = MathF.Sqrt(vector.Sum(x => x * x));
        return length == 0 ? default(ReadOnlyMemory<float>) : vector.Select(x => x / length).ToArray();
    }
}
