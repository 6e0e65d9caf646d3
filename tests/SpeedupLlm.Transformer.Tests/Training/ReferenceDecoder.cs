using SpeedupLlm.Transformer.Model;
using SpeedupLlm.Transformer.Training;

namespace SpeedupLlm.Transformer.Tests.Training;

/// <summary>The decoder's loss again, in double precision and as plainly as it can be written. Nothing is shared with what it checks but the layout of the weights.</summary>
internal sealed class ReferenceDecoder
{
    private readonly ModelShape _shape;
    private readonly Dictionary<string, WeightTensor> _tensors;

    public ReferenceDecoder(Weights weights)
    {
        _shape = weights.Shape;
        _tensors = weights.Tensors.ToDictionary(t => t.Name, StringComparer.Ordinal);
        Values = [.. weights.Values.Select(v => (double)v)];
    }

    /// <summary>The weights; change one to see what the loss does.</summary>
    public double[] Values { get; }

    /// <summary>Σ weight · -log p over one text.</summary>
    public double Loss(TrainingExample text)
    {
        var logits = Logits(text.Tokens[..^1]);
        var sum = 0.0;
        for (var t = 0; t < logits.Length; t++)
            sum += text.Weights[t + 1] * (Math.Log(logits[t].Sum(Math.Exp)) - logits[t][text.Tokens[t + 1]]);
        return sum;
    }

    public double[][] Logits(int[] tokens)
    {
        var embedding = Matrix("model.embed_tokens.weight");
        var x = tokens.Select(token => embedding[token]).ToArray();
        for (var i = 0; i < _shape.Layers; i++)
        {
            var layer = FormattableString.Invariant($"model.layers.{i}.");
            x = Plus(x, Attention(layer, Norm(x, layer + "input_layernorm.weight")));
            x = Plus(x, FeedForward(layer, Norm(x, layer + "post_attention_layernorm.weight")));
        }

        return Times(Norm(x, "model.norm.weight"), "model.embed_tokens.weight");
    }

    private double[][] Attention(string layer, double[][] x)
    {
        var (q, k, v) = (Times(x, layer + "self_attn.q_proj.weight"), Times(x, layer + "self_attn.k_proj.weight"), Times(x, layer + "self_attn.v_proj.weight"));
        Turn(q);
        Turn(k);
        var o = x.Select(row => new double[row.Length]).ToArray();
        var head = _shape.Head;
        for (var h = 0; h < _shape.Heads; h++)
        {
            for (var i = 0; i < x.Length; i++)
            {
                var at = h * head;
                var scores = Enumerable.Range(0, i + 1).Select(j => Math.Exp(Enumerable.Range(at, head).Sum(d => q[i][d] * k[j][d]) / Math.Sqrt(head))).ToArray();
                for (var d = at; d < at + head; d++)
                    o[i][d] = Enumerable.Range(0, i + 1).Sum(j => scores[j] * v[j][d]) / scores.Sum();
            }
        }

        return Times(o, layer + "self_attn.o_proj.weight");
    }

    private double[][] FeedForward(string layer, double[][] x)
    {
        var (gate, up) = (Times(x, layer + "mlp.gate_proj.weight"), Times(x, layer + "mlp.up_proj.weight"));
        var act = gate.Select((row, t) => row.Select((g, f) => g / (1 + Math.Exp(-g)) * up[t][f]).ToArray()).ToArray();
        return Times(act, layer + "mlp.down_proj.weight");
    }

    private void Turn(double[][] rows)
    {
        var (head, half) = (_shape.Head, _shape.Head / 2);
        for (var t = 0; t < rows.Length; t++)
        {
            for (var i = 0; i < rows[t].Length; i++)
            {
                if (i % head >= half)
                    continue;
                var angle = t * Math.Pow(_shape.RopeBase, -2.0 * (i % head) / head);
                var (a, b) = (rows[t][i], rows[t][i + half]);
                rows[t][i] = a * Math.Cos(angle) - b * Math.Sin(angle);
                rows[t][i + half] = a * Math.Sin(angle) + b * Math.Cos(angle);
            }
        }
    }

    private double[][] Norm(double[][] x, string name)
    {
        var weight = Matrix(name)[0];
        return [.. x.Select(row =>
        {
            var scale = 1 / Math.Sqrt(row.Sum(v => v * v) / row.Length + _shape.NormEpsilon);
            return row.Select((v, c) => v * scale * weight[c]).ToArray();
        })];
    }

    private double[][] Times(double[][] x, string name)
    {
        var w = Matrix(name);
        return [.. x.Select(row => w.Select(of => of.Zip(row, (a, b) => a * b).Sum()).ToArray())];
    }

    private double[][] Matrix(string name)
    {
        var t = _tensors[name];
        return [.. Enumerable.Range(0, t.Rows).Select(r => Values[(t.Offset + r * t.Columns)..(t.Offset + (r + 1) * t.Columns)])];
    }

    private static double[][] Plus(double[][] a, double[][] b) => [.. a.Zip(b, (x, y) => x.Zip(y, (p, q) => p + q).ToArray())];
}
