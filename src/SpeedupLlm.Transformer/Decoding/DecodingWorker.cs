using System.Globalization;
using SpeedupLlm.Transformer.Model;

namespace SpeedupLlm.Transformer.Decoding;

/// <summary>One thread that decodes a changing batch of sequences step by step.</summary>
internal sealed class DecodingWorker(int number, ModelShape shape, DecodingOptions options, BlockPool pool, PrefixCache cache)
{
    private readonly Lock _lock = new();
    private readonly Queue<KvSequence> _waiting = new();
    private readonly SemaphoreSlim _work = new(0);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Thread? _thread;
    private int _load;
    private volatile bool _stopping;

    /// <summary>Sequences that wait or run.</summary>
    public int Load => Volatile.Read(ref _load);

    public void Add(KvSequence sequence)
    {
        Interlocked.Increment(ref _load);
        lock (_lock)
        {
            _waiting.Enqueue(sequence);
            if (_thread is null)
            {
                _thread = new Thread(Run) { IsBackground = true, Name = "decoding " + number.ToString(CultureInfo.InvariantCulture) };
                _thread.Start();
            }
        }
        _work.Release();
    }

    public Task StopAsync()
    {
        _stopping = true;
        _work.Release();
        lock (_lock)
            if (_thread is null)
                _ended.TrySetResult();
        return _ended.Task;
    }

    private void Run()
    {
        using var forward = ForwardPass.Create(shape, options.TokensPerStep);
        var sampler = new Sampler();
        var active = new List<KvSequence>();
        var models = new List<DecoderWeights>();
        while (!_stopping)
        {
            if (active.Count == 0)
                _work.Wait();
            Admit(active);
            Leave(active, s => s.CancellationToken.IsCancellationRequested, s => s.Cancel());
            // sequences of the same weights make one batch, low-rank changes of them too
            models.Clear();
            foreach (var sequence in active)
                if (!models.Contains(sequence.Request.Model.Base))
                    models.Add(sequence.Request.Model.Base);
            foreach (var model in models)
                Step(model, active, forward, sampler);
        }
        lock (_lock)
            active.AddRange(_waiting);
        Leave(active, _ => true, s => s.Fail(new ObjectDisposedException(nameof(DecodingEngine))));
        _ended.TrySetResult();
    }

    private void Admit(List<KvSequence> active)
    {
        lock (_lock)
            while (active.Count < options.SequencesPerWorker && _waiting.TryDequeue(out var sequence))
                active.Add(sequence);
    }

    private void Step(DecoderWeights model, List<KvSequence> active, ForwardPass forward, Sampler sampler)
    {
        try
        {
            forward.Clear();
            Schedule(model, active, forward);
            forward.Run(model);
        }
        catch (Exception e)
        {
            // nothing of this batch can be trusted; the others go on
            Leave(active, s => ReferenceEquals(s.Request.Model.Base, model), s => s.Fail(e));
            return;
        }
        foreach (var (sequence, logits) in forward.Results)
        {
            var end = default(GenerationEnd?);
            try
            {
                sequence.Share(cache);
                if (logits >= 0)
                    end = sequence.Draw(forward.Logits(logits), sampler);
            }
            catch (Exception e)
            {
                Leave(active, s => s == sequence, s => s.Fail(e)); // its observer threw
                continue;
            }
            if (end is { } reason)
                Leave(active, s => s == sequence, s => s.Complete(reason));
        }
    }

    /// <summary>Gives each decoding sequence its row, and what is left of the step to prompts, first come, first served.</summary>
    private void Schedule(DecoderWeights model, List<KvSequence> active, ForwardPass forward)
    {
        foreach (var sequence in active)
            if (ReferenceEquals(sequence.Request.Model.Base, model) && sequence is { Begun: true, Pending: 1 })
                forward.Add(sequence, 1, pool);
        var prompts = new List<(KvSequence Sequence, int Before)>();
        foreach (var sequence in active)
        {
            if (forward.Room == 0)
                return;
            if (!ReferenceEquals(sequence.Request.Model.Base, model) || sequence is { Begun: true, Pending: 1 })
                continue;
            if (!sequence.Begun)
            {
                // what another computes in this very step can be taken over in the next
                if (prompts.Exists(p => p.Sequence.Request.Model == sequence.Request.Model && sequence.CommonPrefix(p.Sequence) >= p.Before + KvBlock.Positions))
                    continue;
                sequence.Begin(cache);
            }
            prompts.Add((sequence, sequence.Computed));
            forward.Add(sequence, Math.Min(forward.Room, sequence.Pending), pool);
        }
    }

    private void Leave(List<KvSequence> active, Predicate<KvSequence> which, Action<KvSequence> tell)
    {
        for (var i = active.Count - 1; i >= 0; i--)
        {
            var sequence = active[i];
            if (!which(sequence))
                continue;
            active.RemoveAt(i);
            sequence.Release(pool);
            Interlocked.Decrement(ref _load);
            tell(sequence);
        }
    }
}
