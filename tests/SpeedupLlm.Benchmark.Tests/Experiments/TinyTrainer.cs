using System.Text;
using SpeedupLlm.Compute;
using SpeedupLlm.Memory;

namespace SpeedupLlm.Benchmark.Tests.Experiments;

/// <summary>Pretends to fine-tune: an adapter is the text that it was trained on.</summary>
internal sealed class TinyTrainer : IAdapterTrainer
{
    public ValueTask<TrainedAdapter> TrainAsync(AdapterRef? from, IReadOnlyList<TrainingPair> pairs, StreamKey stream, CancellationToken cancellationToken)
    {
        var text = (from?.Id ?? "") + string.Concat(pairs.Select(p => p.Target));
        var tokens = pairs.Sum(p => p.Target.Split(' ').Length);
        return ValueTask.FromResult(new TrainedAdapter(new(StreamKey.Root(0).Child(text).ToString(), "scripted"), tokens, 2, 1));
    }

    public ValueTask<ReadOnlyMemory<byte>> ExportAsync(AdapterRef adapter, CancellationToken cancellationToken) =>
        ValueTask.FromResult<ReadOnlyMemory<byte>>(Encoding.UTF8.GetBytes(adapter.Id));

    public ValueTask<AdapterRef> ImportAsync(ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        ValueTask.FromResult(new AdapterRef(Encoding.UTF8.GetString(content.Span), "scripted"));
}
