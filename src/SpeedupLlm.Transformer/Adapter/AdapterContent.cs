using System.Globalization;
using SpeedupLlm.Transformer.Formats;
using SpeedupLlm.Transformer.Model;
using SpeedupLlm.Transformer.Training;

namespace SpeedupLlm.Transformer.Adapter;

/// <summary>An adapter as bytes (safetensors): low-rank matrices under PEFT's names, or all weights; with the fingerprint of the model that it adapts.</summary>
internal static class AdapterContent
{
    private const string KindKey = "speedup.adapter";
    private const string ModelKey = "speedup.model";
    private const string RankKey = "rank";
    private const string AlphaKey = "alpha";
    private const string Source = "adapter";

    /// <summary>The bytes of all weights.</summary>
    public static byte[] Write(Weights weights, string model) => Write(ModelFile.TensorsOf(weights), new(StringComparer.Ordinal)
    {
        [KindKey] = "full",
        [ModelKey] = model,
    });

    /// <summary>The bytes of a low-rank adapter.</summary>
    public static byte[] Write(LowRankAdapter adapter, string model)
    {
        var rank = adapter.Rank;
        var tensors = adapter.Pairs.SelectMany(pair => new[]
        {
            new Tensor(NameOf(pair, 'A'), [rank, pair.Of.Columns], adapter.Values.AsMemory(pair.A, rank * pair.Of.Columns)),
            new Tensor(NameOf(pair, 'B'), [pair.Of.Rows, rank], adapter.Values.AsMemory(pair.B, pair.Of.Rows * rank)),
        });
        return Write([.. tensors], new(StringComparer.Ordinal)
        {
            [KindKey] = "lora",
            [ModelKey] = model,
            [RankKey] = rank.ToString(CultureInfo.InvariantCulture),
            [AlphaKey] = adapter.Alpha.ToString("R", CultureInfo.InvariantCulture),
        });
    }

    /// <summary>The model's weights with the adapter in them.</summary>
    /// <exception cref="InvalidDataException">The bytes are no adapter of this model.</exception>
    public static Weights Merge(ReadOnlySpan<byte> content, Weights weights, string model)
    {
        var (low, full) = Read(content, weights.Shape, model);
        return full ?? low!.Merge(weights);
    }

    /// <summary>The low-rank adapter, or else all weights.</summary>
    /// <exception cref="InvalidDataException">The bytes are no adapter of this model.</exception>
    public static (LowRankAdapter? Low, Weights? Full) Read(ReadOnlySpan<byte> content, ModelShape shape, string model)
    {
        var file = SafeTensors.Read(content, Source);
        if (!file.Metadata.TryGetValue(KindKey, out var kind))
            throw new InvalidDataException($"{Source}: it is no adapter.");
        if (file.Metadata.GetValueOrDefault(ModelKey) is var of && of != model)
            throw new InvalidDataException($"{Source}: it adapts the model {of}, not {model}.");
        var byName = file.Tensors.ToDictionary(t => t.Name, StringComparer.Ordinal);
        ReadOnlySpan<float> Take(string name, int rows, int columns, bool isMatrix = true) =>
            byName.Remove(name, out var found) && found.Shape.SequenceEqual(isMatrix ? [rows, columns] : [columns])
                ? found.Values.Span
                : throw new InvalidDataException($"{Source}: {name} is missing or of another shape.");

        var (low, full) = (default(LowRankAdapter), default(Weights));
        if (kind == "full")
        {
            full = new(shape);
            foreach (var tensor in full.Tensors)
                Take(tensor.Name, tensor.Rows, tensor.Columns, tensor.IsMatrix).CopyTo(full.Span(tensor));
        }
        else if (kind == "lora"
            && int.TryParse(file.Metadata.GetValueOrDefault(RankKey), NumberStyles.None, CultureInfo.InvariantCulture, out var rank) && rank >= 1 && rank <= shape.Width
            && double.TryParse(file.Metadata.GetValueOrDefault(AlphaKey), NumberStyles.Float, CultureInfo.InvariantCulture, out var alpha) && alpha > 0 && double.IsFinite(alpha))
        {
            low = new(shape, rank, alpha);
            foreach (var pair in low.Pairs)
            {
                Take(NameOf(pair, 'A'), rank, pair.Of.Columns).CopyTo(low.Values.AsSpan(pair.A));
                Take(NameOf(pair, 'B'), pair.Of.Rows, rank).CopyTo(low.Values.AsSpan(pair.B));
            }
        }
        else
        {
            throw new InvalidDataException($"{Source}: its kind, rank or alpha is not readable.");
        }
        if (byName.Count > 0)
            throw new InvalidDataException($"{Source}: it has a tensor that the model does not know: {byName.Keys.Order(StringComparer.Ordinal).First()}.");
        if (!ModelFile.AreFinite(full?.Values ?? low!.Values))
            throw new InvalidDataException($"{Source}: it has numbers that are not finite.");
        return (low, full);
    }

    /// <summary>Both changes as one of the summed rank: s₁·B₁A₁ + s₂·B₂A₂ = [s₁B₁ s₂B₂]·[A₁; A₂].</summary>
    public static LowRankAdapter Stack(LowRankAdapter one, LowRankAdapter two)
    {
        var rank = one.Rank + two.Rank;
        var both = new LowRankAdapter(one.Shape, rank, rank);
        for (var i = 0; i < both.Pairs.Count; i++)
        {
            var pair = both.Pairs[i];
            var at = 0;
            foreach (var part in new[] { one, two })
            {
                var (from, scale) = (part.Pairs[i], (float)(part.Alpha / part.Rank));
                part.Values.AsSpan(from.A, part.Rank * pair.Of.Columns).CopyTo(both.Values.AsSpan(pair.A + at * pair.Of.Columns));
                for (var row = 0; row < pair.Of.Rows; row++)
                    for (var r = 0; r < part.Rank; r++)
                        both.Values[pair.B + row * rank + at + r] = scale * part.Values[from.B + row * part.Rank + r];
                at += part.Rank;
            }
        }
        return both;
    }

    private static string NameOf(LowRankPair pair, char part) =>
        "base_model.model." + pair.Of.Name.Replace(".weight", $".lora_{part}.weight", StringComparison.Ordinal);

    private static byte[] Write(IReadOnlyList<Tensor> tensors, Dictionary<string, string> metadata)
    {
        var stream = new MemoryStream();
        SafeTensors.Write(stream, tensors, metadata);
        return stream.ToArray();
    }
}
