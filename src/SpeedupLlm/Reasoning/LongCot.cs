using Microsoft.Extensions.AI;
using SpeedupLlm.Compute;
using SpeedupLlm.Prompts;

namespace SpeedupLlm.Reasoning;

/// <summary>Options of <see cref="LongCot"/>.</summary>
public sealed record LongCotOptions
{
    /// <summary>Tokens of the thought at most, ≥ 1, or null for the cap of the prompt set.</summary>
    public int? MaxTokens { get; init; }

    /// <summary>How hard an upstream reasoning model should think: <c>none</c>, <c>low</c>, <c>medium</c>, <c>high</c>, <c>extrahigh</c>, or null for its default. Its hidden tokens count as operations.</summary>
    public string? ReasoningEffort { get; init; }

    /// <summary>Probes: the answer so far is asked for after each so many tokens of thought (four characters a token), ≥ 16; null for no probes.</summary>
    public int? ProbeEvery { get; init; }

    /// <summary>The thought ends when so many probes in a row agree, ≥ 2 (Certaindex, arXiv 2412.20993).</summary>
    public int Agreeing { get; init; } = 3;
}

/// <summary>Long CoT: one long thought with self-checks and backtracking. It ends by itself, at a cap, or, as an option, when probes of the interim answer agree.</summary>
/// <remarks>
/// An operation is a generated token, hidden ones and those of probes among them. Stops: threshold (its score reached τ, or the probes agree), cap (of tokens),
/// exhausted (it ended by itself, and its score is below τ). Model calls: one, one a probe, and the scorer's. A thought that probes end was not
/// counted by the model to its end: its tokens are estimated.
/// </remarks>
public sealed class LongCot : IScalingMethod
{
    private const int CharactersAToken = 4;
    private readonly LongCotOptions _options;

    /// <summary>Takes options.</summary>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public LongCot(LongCotOptions? options = null)
    {
        _options = options ?? new();
        if (_options.MaxTokens is { } tokens)
            ArgumentOutOfRangeException.ThrowIfLessThan(tokens, 1);
        if (_options.ProbeEvery is { } every)
            ArgumentOutOfRangeException.ThrowIfLessThan(every, 16);
        ArgumentOutOfRangeException.ThrowIfLessThan(_options.Agreeing, 2);
        if (_options.ReasoningEffort is { } effort && !Enum.TryParse<ReasoningEffort>(effort, ignoreCase: true, out _))
            throw new ArgumentException($"Unknown reasoning effort '{effort}'. Valid: {string.Join(", ", Enum.GetNames<ReasoningEffort>()).ToLowerInvariant()}.", nameof(options));
    }

    /// <inheritdoc/>
    public string Name => "long-cot";

    /// <inheritdoc/>
    public PromptTask Entry => PromptTask.Think;

    /// <inheritdoc/>
    public async ValueTask<Search> RunAsync(ISolveContext context, CancellationToken cancellationToken)
    {
        var thought = new Thought(context, context.Stream.Child(Name), _options);
        var search = await AttemptLoop.RunAsync(context, new()
        {
            Cap = 1,
            Operations = _ => thought.Tokens,
            Draw = async (index, _, ct) => Drawn.Of(await thought.DrawAsync(index, ct).ConfigureAwait(false)),
            Satisfied = (_, _) => ValueTask.FromResult(thought.ProbesAgree),
        }, cancellationToken).ConfigureAwait(false);
        var endedByItself = search is { Stop: StopReason.Cap, Best: { } best } && best.Finish != ChatFinishReason.Length;
        return endedByItself ? search with { Stop = StopReason.Exhausted } : search;
    }

    /// <summary>What changes while one thought is written.</summary>
    private sealed class Thought(ISolveContext context, StreamKey stream, LongCotOptions options)
    {
        private int _nextProbe = (options.ProbeEvery ?? 0) * CharactersAToken;
        private int _probes;
        private int _agreeing;
        private string? _interim;
        private (string Text, ChatFinishReason? Finish)? _ended;
        private bool _probing = true;

        public decimal Tokens { get; private set; }

        public bool ProbesAgree => _ended is not null;

        public async ValueTask<Attempt> DrawAsync(int index, CancellationToken cancellationToken)
        {
            var prompt = context.Prompts.Solve(PromptTask.Think, context.Question, context.Recalled.Hints) with { ReasoningEffort = options.ReasoningEffort };
            if (options.MaxTokens is { } tokens)
                prompt = prompt with { MaxOutputTokens = tokens };
            if (prompt.MaxOutputTokens is { } cap)
                prompt = prompt with { MaxOutputTokens = context.Recalled.Limit(cap) };
            var reply = options.ProbeEvery is null
                ? await context.AskAsync(prompt, CallPurpose.Solve, stream.Child(index), index, index, cancellationToken).ConfigureAwait(false)
                : await context.ReadAlongAsync(prompt, CallPurpose.Solve, stream.Child(index), index, index, GoOnAsync, cancellationToken).ConfigureAwait(false);
            Tokens += reply.Output;
            var (text, finish) = _ended ?? (reply.Text, reply.Finish);
            return new(index, text, context.Prompts.Final(context.Question, text), default, finish);
        }

        /// <summary>Probes at places that depend on the text alone, however it is cut into pieces on the way here.</summary>
        private async ValueTask<bool> GoOnAsync(string text, CancellationToken cancellationToken)
        {
            while (_probing && text.Length >= _nextProbe)
            {
                var at = char.IsHighSurrogate(text[_nextProbe - 1]) ? _nextProbe - 1 : _nextProbe;
                _nextProbe += options.ProbeEvery!.Value * CharactersAToken;
                if (await ProbeAsync(text[..at], cancellationToken).ConfigureAwait(false))
                    return false;
            }
            return true;
        }

        private async ValueTask<bool> ProbeAsync(string soFar, CancellationToken cancellationToken)
        {
            Reply reply;
            try
            {
                var prompt = context.Prompts.Probe(context.Question, context.Recalled.Hints, soFar);
                var draw = _probes++;
                reply = await context.AskAsync(prompt, CallPurpose.Solve, stream.Child("probe").Child(draw), draw, null, cancellationToken).ConfigureAwait(false);
            }
            catch (ModelFailedException)
            {
                return false; // reported by the meter; the thought goes on
            }
            catch (BudgetExceededException)
            {
                _probing = false; // what is left belongs to the thought itself
                return false;
            }
            Tokens += reply.Output;
            var text = context.Prompts.Extend(soFar, reply.Text);
            var answer = context.Prompts.Final(context.Question, text);
            var agrees = answer is not null && _interim is not null
                && await context.Answers.AreEquivalentAsync(_interim, answer, context, cancellationToken).ConfigureAwait(false);
            _agreeing = agrees ? _agreeing + 1 : answer is null ? 0 : 1;
            _interim = answer;
            if (_agreeing < options.Agreeing)
                return false;
            _ended = (text, reply.Finish);
            return true;
        }
    }
}
