using System.Runtime.InteropServices;

namespace SpeedupLlm.Transformer.Decoding;

/// <summary>A request on its way: its tokens, its key-value blocks, what it has drawn. Touched by one worker only.</summary>
internal sealed class KvSequence(GenerationRequest request, CancellationToken cancellationToken)
{
    private readonly List<KvBlock> _blocks = [];
    private readonly List<int> _tokens = [.. request.Prompt];
    private readonly List<GeneratedToken> _generated = [];
    private readonly TaskCompletionSource<Generation> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _shared;

    public GenerationRequest Request => request;

    public CancellationToken CancellationToken => cancellationToken;

    public Task<Generation> Done => _done.Task;

    /// <summary>Prompt, then what was drawn.</summary>
    public List<int> Tokens => _tokens;

    public List<KvBlock> Blocks => _blocks;

    /// <summary>Positions whose keys and values are there.</summary>
    public int Computed { get; set; }

    /// <summary>Whether the cache was asked.</summary>
    public bool Begun { get; private set; }

    /// <summary>Positions that came from the prefix cache.</summary>
    public int Reused { get; private set; }

    /// <summary>Tokens drawn, a stop token among them.</summary>
    public int Drawn { get; private set; }

    /// <summary>Tokens that wait to be computed; the last one gives the logits of the next.</summary>
    public int Pending => _tokens.Count - Computed;

    /// <summary>Takes over what the cache knows of the prompt; all but the last token at most, since its logits are needed.</summary>
    public void Begin(PrefixCache cache)
    {
        cache.Match(request.Model.Identity, TokenSpan, (_tokens.Count - 1) / KvBlock.Positions, _blocks);
        _shared = _blocks.Count;
        Computed = Reused = _blocks.Count * KvBlock.Positions;
        Begun = true;
    }

    /// <summary>Makes room for positions below <paramref name="end"/>.</summary>
    public void Reserve(int end, BlockPool pool)
    {
        while (_blocks.Count * KvBlock.Positions < end)
            _blocks.Add(pool.Take());
    }

    /// <summary>Draws the next token from the logits. True when the text has ended, then <see cref="Complete"/> says why.</summary>
    public GenerationEnd? Draw(ReadOnlySpan<float> logits, Sampler sampler)
    {
        var uniform = Philox.Uniform(request.Stream.Hi, request.Stream.Lo, (ulong)Drawn);
        var token = sampler.Draw(logits, request.Sampling, uniform);
        Drawn++;
        if (request.StopTokens.Contains(token))
            return GenerationEnd.Stop;
        var generated = new GeneratedToken(token, double.NaN, []);
        if (request.TopLogProbabilities is { } top)
        {
            var (log, likeliest) = sampler.Explain(logits, token, top);
            generated = new(token, log, likeliest);
        }
        _tokens.Add(token);
        _generated.Add(generated);
        if (request.Observer is { } observer && !observer(generated))
            return GenerationEnd.Stop;
        return IsFull ? GenerationEnd.Length : null;
    }

    /// <summary>Whether nothing more may be drawn.</summary>
    public bool IsFull => Drawn >= request.MaximumTokens || _tokens.Count >= request.Model.Shape.Context;

    /// <summary>Offers the full blocks that the cache was not offered yet.</summary>
    public void Share(PrefixCache cache)
    {
        var full = Computed / KvBlock.Positions;
        if (full > _shared)
            cache.Insert(request.Model.Identity, TokenSpan, _blocks, _shared = full);
    }

    /// <summary>How many tokens both prompts begin with.</summary>
    public int CommonPrefix(KvSequence other) => TokenSpan.CommonPrefixLength(other.TokenSpan);

    public void Release(BlockPool pool)
    {
        foreach (var block in _blocks)
            pool.Release(block);
        _blocks.Clear();
    }

    public void Complete(GenerationEnd end) => _done.TrySetResult(new(_generated, end, Drawn, Reused));

    public void Cancel() => _done.TrySetCanceled(cancellationToken);

    public void Fail(Exception error) => _done.TrySetException(error);

    private ReadOnlySpan<int> TokenSpan => CollectionsMarshal.AsSpan(_tokens);
}
