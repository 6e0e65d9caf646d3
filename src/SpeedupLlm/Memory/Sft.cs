using SpeedupLlm.Compute;
using SpeedupLlm.Experience;
using SpeedupLlm.Prompts;

namespace SpeedupLlm.Memory;

/// <summary>Options of <see cref="Sft"/>.</summary>
public sealed record SftOptions
{
    /// <summary>Episodes that an adapter is trained on, at most: the last ones, one a question text. At least 1; default 16.</summary>
    public int LastEpisodes { get; init; } = 16;

    /// <summary>Questions are held out of training once so many different ones are there. At least 2; default 8: before that each case is needed for learning.</summary>
    public int HoldOutFrom { get; init; } = 8;

    /// <summary>One question in so many is held out, chosen by its identity. At least 2; default 4.</summary>
    public int HoldOutEvery { get; init; } = 4;

    /// <summary>An adapter is refused if its loss on the questions held out is above the best known one by more than this share of it. At least 0; default 0.02.</summary>
    public double LossTolerance { get; init; } = 0.02;

    /// <summary>Episodes that harmed this many times more than they helped are not trained on any more. At least 1; default 3.</summary>
    public int HarmLimit { get; init; } = 3;

    /// <summary>A file that the training pairs are written to after each episode (OpenAI's chat fine-tuning JSONL), for models that are trained elsewhere; null for none.</summary>
    public string? ExportFile { get; init; }

    internal SftOptions Validated()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(LastEpisodes, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(HoldOutFrom, 2);
        ArgumentOutOfRangeException.ThrowIfLessThan(HoldOutEvery, 2);
        ArgumentOutOfRangeException.ThrowIfLessThan(HarmLimit, 1);
        if (!(LossTolerance >= 0 && double.IsFinite(LossTolerance)))
            throw new ArgumentOutOfRangeException(nameof(LossTolerance), LossTolerance, "A share of the loss, at least 0.");
        if (ExportFile is { } file && string.IsNullOrWhiteSpace(file))
            throw new ArgumentException("The export file needs a name.", nameof(ExportFile));
        return this;
    }
}

/// <summary>
/// Accepted episodes become training pairs, and the model answers with fine-tuned weights (SFT of arXiv 2505.20643; adapters: LoRA, arXiv 2106.09685).
/// </summary>
/// <remarks>
/// <para>
/// Each adapter is trained from the model's own weights on the last episodes, never on top of the adapter before. So it is a function of these
/// episodes alone: who learnt them, in what order, and how often makes no difference; its sources are exactly what it was trained on; and once one
/// of them is forgotten, the next adapter knows nothing of it. Training on top would forget earlier cases unless they are replayed, which costs the same.
/// </para>
/// <para>
/// One adapter a scope and a kind of first prompt is stored, replaced by compare and swap. Once enough questions are known some are held out; an adapter
/// that is worse on them than the stored one, or than the model's own weights, is not used (rolled back). Learning spends training tokens
/// (each token of a pair, each epoch) and, when questions are held out, input tokens for measuring; recalling spends none.
/// </para>
/// </remarks>
public sealed class Sft : IMemory, IModelRequirement
{
    /// <summary>The name in the catalogue.</summary>
    public const string CatalogueName = "sft";

    /// <summary>The kind of the document.</summary>
    public const string Kind = "adapter";

    private readonly SftOptions _options;
    private readonly TimeProvider _time;

    /// <summary>With the default options.</summary>
    public Sft()
        : this(new())
    {
    }

    /// <summary>With options; <paramref name="time"/> measures training.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public Sft(SftOptions options, TimeProvider? time = null)
    {
        _options = options.Validated();
        _time = time ?? TimeProvider.System;
    }

    /// <inheritdoc/>
    public string Name => CatalogueName;

    /// <inheritdoc/>
    public void Require(ModelTraits model, IAdapterTrainer? trainer)
    {
        if (trainer is null && _options.ExportFile is null)
        {
            throw new MemoryNotSupportedException(CatalogueName,
                $"The memory '{CatalogueName}' needs a model that can be fine-tuned, and '{model.Fingerprint}' cannot: choose another memory, or give an export file and train elsewhere.");
        }
    }

    /// <inheritdoc/>
    /// <exception cref="MemoryNotSupportedException">The model cannot be fine-tuned and there is no export file.</exception>
    public async ValueTask<Recalled> RecallAsync(Question question, IMemoryContext context, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Require(context.Model, context.Trainer);
        if (context.Trainer is not { } trainer || context.Embedder.Embed(question.Text).IsEmpty)
            return Recalled.Nothing;
        var document = await context.Store.GetAsync(context.Scope, Kind, KeyOf(context), cancellationToken).ConfigureAwait(false);
        if (document is null || document.Content.IsEmpty
            || await Learning.IsTaintedAsync(document, _options.HarmLimit, context, cancellationToken).ConfigureAwait(false))
            return Recalled.Nothing;
        var adapter = await trainer.ImportAsync(document.Content, cancellationToken).ConfigureAwait(false);
        var relevance = await RememberedCases.RelevanceAsync(AskedText.Of(question), _options.HarmLimit, context, cancellationToken).ConfigureAwait(false);
        return new(null, [], adapter, relevance);
    }

    /// <inheritdoc/>
    /// <exception cref="MemoryNotSupportedException">The model cannot be fine-tuned and there is no export file.</exception>
    /// <exception cref="MemoryConflictException">Other learners were faster again and again.</exception>
    public async ValueTask LearnAsync(Episode episode, IMemoryContext context, CancellationToken cancellationToken)
    {
        Require(context.Model, context.Trainer);
        if (!await Learning.MayLearnAsync(episode, context, cancellationToken).ConfigureAwait(false))
            return;
        // what several answers at once would train on is trained on by one after another, or once for all
        var turn = await context.Store.TakeTurnAsync(context.Scope, $"{Kind}/{KeyOf(context)}", cancellationToken).ConfigureAwait(false);
        await using var _ = turn.ConfigureAwait(false);
        for (var round = 0; round < Learning.MostRounds; round++)
        {
            // read before the episodes: what others write from here on makes the swap fail
            var held = await context.Store.GetAsync(context.Scope, Kind, KeyOf(context), cancellationToken).ConfigureAwait(false);
            var episodes = await RememberedCases.LatestAsync(_options.LastEpisodes, _options.HarmLimit, context, cancellationToken).ConfigureAwait(false);
            if (_options.ExportFile is { } file)
                await TrainingFile.WriteAsync(file, [.. episodes.SelectMany(e => Pairs(e, context))], cancellationToken).ConfigureAwait(false);
            if (context.Trainer is not { } trainer)
                return;
            var tainted = held is not null && await Learning.IsTaintedAsync(held, _options.HarmLimit, context, cancellationToken).ConfigureAwait(false);
            var (trained, heldOut) = Split(episodes);
            var examiner = new Examiner(trainer, [.. heldOut.SelectMany(e => Pairs(e, context))], context, _time);
            var own = await examiner.LossAsync(null, cancellationToken).ConfigureAwait(false);
            if (own is null)
                trained = episodes; // nobody can say how well the rest is answered: then nothing is gained by holding out
            var pairs = trained.SelectMany(e => Pairs(e, context)).ToList();
            if (pairs.Count == 0)
                return;
            var fingerprint = TrainingFile.Fingerprint(pairs);
            if (!tainted && string.Equals(held?.Text, fingerprint.ToString(), StringComparison.Ordinal))
                return; // trained on these very pairs

            var adapter = await TrainAsync(trainer, pairs, fingerprint, context, cancellationToken).ConfigureAwait(false);
            var best = own is { } loss
                ? await BestAsync(examiner, adapter, loss, tainted ? null : Unseen(held, heldOut), trainer, cancellationToken).ConfigureAwait(false)
                : Best.New;
            if (best == Best.Stored)
                return;
            var sources = best == Best.New ? trained.Select(e => e.Id).ToList() : [];
            var document = new MemoryDocument
            {
                Kind = Kind,
                Key = KeyOf(context),
                Scope = context.Scope,
                Text = fingerprint.ToString(),
                Content = best == Best.New ? await trainer.ExportAsync(adapter, cancellationToken).ConfigureAwait(false) : default,
                Sources = sources,
                Version = held?.Version ?? 0,
                At = episode.At,
            };
            if (await Learning.PublishAsync(document, sources, context, cancellationToken).ConfigureAwait(false) is not null)
                return;
        }
        throw Learning.Conflict(CatalogueName);
    }

    private async ValueTask<AdapterRef> TrainAsync(
        IAdapterTrainer trainer, IReadOnlyList<TrainingPair> pairs, StreamKey fingerprint, IMemoryContext context, CancellationToken cancellationToken)
    {
        var started = _time.GetTimestamp();
        // the stream comes from the pairs: the same cases give the same adapter, whoever learns them
        var trained = await trainer.TrainAsync(null, pairs, fingerprint.Child(CatalogueName), cancellationToken).ConfigureAwait(false);
        context.Charge(new(CallPurpose.Train, 0, 0, 0, 0, trained.Tokens, false, _time.GetElapsedTime(started)));
        return trained.Adapter;
    }

    /// <summary>Which weights answer the held-out questions best: the least loss, the newer ones within the tolerance.</summary>
    private async ValueTask<Best> BestAsync(
        Examiner examiner, AdapterRef adapter, double own, MemoryDocument? stored, IAdapterTrainer trainer, CancellationToken cancellationToken)
    {
        var loss = await examiner.LossAsync(adapter, cancellationToken).ConfigureAwait(false) ?? double.NaN;
        var kept = stored is null
            ? null
            : await examiner.LossAsync(await trainer.ImportAsync(stored.Content, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
        var least = kept < own ? kept.Value : own;
        if (loss <= least * (1 + _options.LossTolerance))
            return Best.New;
        return kept <= own * (1 + _options.LossTolerance) ? Best.Stored : Best.Own;
    }

    /// <summary>The stored adapter, if it was not trained on what is now held out: else its loss says nothing.</summary>
    private static MemoryDocument? Unseen(MemoryDocument? held, IReadOnlyList<Episode> heldOut) =>
        held is { Content.IsEmpty: false } && !heldOut.Any(e => held.Sources.Contains(e.Id, StringComparer.Ordinal)) ? held : null;

    /// <summary>The weights to use.</summary>
    private enum Best
    {
        /// <summary>The adapter just trained.</summary>
        New,

        /// <summary>The stored one.</summary>
        Stored,

        /// <summary>The model's own: no adapter.</summary>
        Own,
    }

    /// <summary>Measures losses on the held-out pairs, and books the tokens.</summary>
    private sealed class Examiner(IAdapterTrainer trainer, IReadOnlyList<TrainingPair> heldOut, IMemoryContext context, TimeProvider time)
    {
        /// <summary>The loss, or null if nothing is held out or the trainer cannot say.</summary>
        public async ValueTask<double?> LossAsync(AdapterRef? adapter, CancellationToken cancellationToken)
        {
            if (heldOut.Count == 0)
                return null;
            var started = time.GetTimestamp();
            if (await trainer.MeasureAsync(adapter, heldOut, cancellationToken).ConfigureAwait(false) is not { } measured)
                return null;
            context.Charge(new(CallPurpose.Train, measured.Tokens, 0, 0, 0, 0, false, time.GetElapsedTime(started)));
            return measured.Loss;
        }
    }

    /// <summary>Holds questions out by their identity, never by chance or order, so that a question is always on the same side.</summary>
    private (IReadOnlyList<Episode> Trained, IReadOnlyList<Episode> HeldOut) Split(IReadOnlyList<Episode> episodes)
    {
        var groups = episodes.ToLookup(e => StreamKey.Root(0).Child("held out").Child(e.QuestionId).Hi % (ulong)_options.HoldOutEvery == 0);
        return episodes.Count < _options.HoldOutFrom ? (episodes, []) : ([.. groups[false]], [.. groups[true]]);
    }

    private static IEnumerable<TrainingPair> Pairs(Episode episode, IMemoryContext context) =>
        context.Prompts.TrainingPairs(context.Entry, RememberedCases.ToCase(episode));

    private static string KeyOf(IMemoryContext context) => context.Entry.ToString().ToLowerInvariant();
}
