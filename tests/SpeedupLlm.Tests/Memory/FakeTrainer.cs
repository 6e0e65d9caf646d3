using System.Text;
using SpeedupLlm.Compute;
using SpeedupLlm.Memory;

namespace SpeedupLlm.Tests.Memory;

/// <summary>A trainer whose adapters are the list of what they were trained on.</summary>
internal sealed class FakeTrainer(string model) : IAdapterTrainer
{
    private const char Break = '\u001e';

    /// <summary>All training runs: what each adapter was trained on.</summary>
    public List<IReadOnlyList<TrainingPair>> Runs { get; } = [];

    /// <summary>Happens during training.</summary>
    public Func<Task>? During { get; set; }

    /// <summary>The loss of an adapter, by the targets that it was trained on (none: the model's own weights), on the targets of pairs; null: it cannot say.</summary>
    public Func<IReadOnlyList<string>, IReadOnlyList<string>, double>? Loss { get; set; }

    public int Measured { get; private set; }

    public async ValueTask<TrainedAdapter> TrainAsync(AdapterRef? from, IReadOnlyList<TrainingPair> pairs, StreamKey stream, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (Runs)
            Runs.Add(pairs);
        if (During is { } during)
            await during();
        await Task.Yield();
        cancellationToken.ThrowIfCancellationRequested();
        var content = string.Join(Break, [from?.Id ?? "", stream.ToString(), .. pairs.Select(p => p.Target)]);
        return new(new(content, model), 100 * pairs.Count, 2, 1);
    }

    public ValueTask<MeasuredLoss?> MeasureAsync(AdapterRef? adapter, IReadOnlyList<TrainingPair> pairs, CancellationToken cancellationToken)
    {
        Measured++;
        return new(Loss is null ? null : new MeasuredLoss(10 * pairs.Count, Loss(adapter is null ? [] : Targets(adapter), [.. pairs.Select(p => p.Target)])));
    }

    public ValueTask<ReadOnlyMemory<byte>> ExportAsync(AdapterRef adapter, CancellationToken cancellationToken) =>
        new(Encoding.UTF8.GetBytes(adapter.ModelFingerprint + Break + adapter.Id));

    public ValueTask<AdapterRef> ImportAsync(ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        var text = Encoding.UTF8.GetString(content.Span);
        var at = text.IndexOf(Break, StringComparison.Ordinal);
        return at > 0 && text[..at] == model ? new(new AdapterRef(text[(at + 1)..], model)) : throw new InvalidDataException("Not an adapter of this model.");
    }

    /// <summary>The targets that an adapter was trained on.</summary>
    public static IReadOnlyList<string> Targets(AdapterRef adapter) => adapter.Id.Split(Break)[2..];
}
