using SpeedupLlm.Transformer.Model;

namespace SpeedupLlm.Transformer.Tests.Decoding;

/// <summary>The decoder in double precision, as plainly as it can be written: no cache, no batch, no order to keep.</summary>
internal static class ReferenceDecoder
{
    /// <summary>Logits (T, V) of a sequence.</summary>
    public static double[][] Logits(Weights weights, IReadOnlyList<int> tokens)
    {
        var shape = weights.Shape;
        var (width, head) = (shape.Width, shape.Head);
        var embedding = Matrix("model.embed_tokens.weight");
        var x = tokens.Select(t => embedding[t].ToArray()).ToArray();
        for (var layer = 0; layer < shape.Layers; layer++)
        {
            var name = FormattableString.Invariant($"model.layers.{layer}.");
            var n = x.Select(r => Norm(r, name + "input_layernorm.weight")).ToArray();
            var q = n.Select((r, t) => Turn(Times(Matrix(name + "self_attn.q_proj.weight"), r), t)).ToArray();
            var k = n.Select((r, t) => Turn(Times(Matrix(name + "self_attn.k_proj.weight"), r), t)).ToArray();
            var v = n.Select(r => Times(Matrix(name + "self_attn.v_proj.weight"), r)).ToArray();
            for (var t = 0; t < x.Length; t++)
            {
                var mixed = new double[width];
                for (var h = 0; h < width; h += head)
                {
                    var scores = Enumerable.Range(0, t + 1).Select(j => Enumerable.Range(h, head).Sum(d => q[t][d] * k[j][d]) / Math.Sqrt(head)).ToArray();
                    var weightsOf = scores.Select(s => Math.Exp(s - scores.Max())).ToArray();
                    for (var d = h; d < h + head; d++)
                        mixed[d] = Enumerable.Range(0, t + 1).Sum(j => weightsOf[j] * v[j][d]) / weightsOf.Sum();
                }
                x[t] = Add(x[t], Times(Matrix(name + "self_attn.o_proj.weight"), mixed));
                var m = Norm(x[t], name + "post_attention_layernorm.weight");
                var gate = Times(Matrix(name + "mlp.gate_proj.weight"), m);
                var up = Times(Matrix(name + "mlp.up_proj.weight"), m);
                x[t] = Add(x[t], Times(Matrix(name + "mlp.down_proj.weight"), [.. gate.Zip(up, (g, u) => g / (1 + Math.Exp(-g)) * u)]));
            }
        }
        return [.. x.Select(r => Times(embedding, Norm(r, "model.norm.weight")))];

        double[][] Matrix(string tensor) => [.. weights[tensor].ToArray().Chunk(weights.Tensor(tensor).Columns).Select(r => r.Select(f => (double)f).ToArray())];

        double[] Norm(double[] r, string tensor)
        {
            var scale = 1 / Math.Sqrt(r.Sum(f => f * f) / r.Length + shape.NormEpsilon);
            return [.. r.Zip(weights[tensor].ToArray(), (a, w) => a * scale * w)];
        }

        double[] Turn(double[] r, int position)
        {
            var turned = new double[r.Length];
            for (var h = 0; h < width; h += head)
                for (var i = 0; i < head / 2; i++)
                {
                    var (sin, cos) = Math.SinCos(position * Math.Pow(shape.RopeBase, -2.0 * i / head));
                    turned[h + i] = r[h + i] * cos - r[h + i + head / 2] * sin;
                    turned[h + i + head / 2] = r[h + i] * sin + r[h + i + head / 2] * cos;
                }
            return turned;
        }
    }

    private static double[] Times(double[][] matrix, double[] x) => [.. matrix.Select(row => row.Zip(x, (a, b) => a * b).Sum())];

    private static double[] Add(double[] a, double[] b) => [.. a.Zip(b, (p, q) => p + q)];
}
