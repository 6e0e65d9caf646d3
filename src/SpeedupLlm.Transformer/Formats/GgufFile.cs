using System.Globalization;
using System.Text;
using SpeedupLlm.Prompts;
using SpeedupLlm.Transformer.Model;
using SpeedupLlm.Transformer.Tokenizer;

namespace SpeedupLlm.Transformer.Formats;

/// <summary>Exports the decoder for llama.cpp and what builds on it.</summary>
public static class GgufFile
{
    // llama.cpp's token types
    private const int Normal = 1;
    private const int Control = 3;
    private const int Byte = 6;

    /// <summary>Writes weights and vocabulary as GGUF version 3: architecture llama, 32-bit floats, tied embeddings.</summary>
    /// <remarks>
    /// The tokenizer is declared as RWKV's, the one of llama.cpp that takes the longest piece as ours does; it adds no space in front
    /// and knows special tokens wherever they are written, so a server must escape angle brackets in user text, and the chat template adds the space.
    /// </remarks>
    public static void Write(Stream stream, Weights weights, PieceVocabulary vocabulary, string name)
    {
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(vocabulary);
        var shape = weights.Shape;
        if (vocabulary.Count != shape.Vocabulary)
            throw new ArgumentException("The vocabulary has not as many tokens as the weights.", nameof(vocabulary));
        var gguf = new GgufWriter();
        gguf.Add("general.architecture", "llama");
        gguf.Add("general.name", name);
        gguf.Add("general.file_type", 0u);
        gguf.Add("llama.vocab_size", (uint)shape.Vocabulary);
        gguf.Add("llama.context_length", (uint)shape.Context);
        gguf.Add("llama.embedding_length", (uint)shape.Width);
        gguf.Add("llama.block_count", (uint)shape.Layers);
        gguf.Add("llama.feed_forward_length", (uint)shape.Hidden);
        gguf.Add("llama.attention.head_count", (uint)shape.Heads);
        gguf.Add("llama.attention.head_count_kv", (uint)shape.Heads);
        gguf.Add("llama.attention.layer_norm_rms_epsilon", shape.NormEpsilon);
        gguf.Add("llama.rope.dimension_count", (uint)shape.Head);
        gguf.Add("llama.rope.freq_base", shape.RopeBase);
        AddTokenizer(gguf, vocabulary);
        foreach (var tensor in weights.Tensors)
            gguf.Add(Convert(weights, tensor));
        gguf.WriteTo(stream);
    }

    private static void AddTokenizer(GgufWriter gguf, PieceVocabulary vocabulary)
    {
        var tokens = new List<string>(vocabulary.Specials.Select(s => Escape(Encoding.UTF8.GetBytes(s))));
        tokens.AddRange(Enumerable.Range(0, 256).Select(b => "\\x" + b.ToString("x2", CultureInfo.InvariantCulture)));
        tokens.AddRange(vocabulary.Pieces.Select(p => Escape(Encoding.UTF8.GetBytes(p))));
        gguf.Add("tokenizer.ggml.model", "rwkv");
        gguf.Add("tokenizer.ggml.tokens", tokens);
        gguf.Add("tokenizer.ggml.scores", new float[vocabulary.Count]);
        gguf.Add("tokenizer.ggml.token_type",
            (int[])[.. vocabulary.Specials.Select(_ => Control), .. Enumerable.Repeat(Byte, 256), .. vocabulary.Pieces.Select(_ => Normal)]);
        gguf.Add("tokenizer.ggml.add_bos_token", false);
        gguf.Add("tokenizer.ggml.add_eos_token", false);
        if (IndexOf(vocabulary.Specials, CompactPrompts.End) is var end and >= 0)
        {
            gguf.Add("tokenizer.ggml.bos_token_id", (uint)end); // never put in front, but some readers want one
            gguf.Add("tokenizer.ggml.eos_token_id", (uint)end);
        }
        gguf.Add("tokenizer.chat_template", ChatTemplate);
    }

    /// <summary>The compact prompt in Jinja: sections, the task last; a user message without tags is a question.</summary>
    private const string ChatTemplate =
        "{% set task = namespace(word='guess') %}"
        + "{% for m in messages %}{% if m['role'] == 'system' %}{% set task.word = m['content'] %}{% endif %}{% endfor %}"
        + "{% for m in messages %}{% if m['role'] == 'user' %}"
        + "{% if m['content'][:1] == '<' %}{{ m['content'] | replace(' <', '<') }}{% else %}{{ '<question> ' + m['content'] }}{% endif %}"
        + "{% endif %}{% endfor %}{{ '<' + task.word + '>' }}";

    private static int IndexOf(IReadOnlyList<string> list, string text)
    {
        for (var i = 0; i < list.Count; i++)
            if (list[i] == text)
                return i;
        return -1;
    }

    /// <summary>Bytes as llama.cpp's RWKV vocabulary writes them, and never as one of the 256 byte tokens (\xhh) is written, since texts must differ.</summary>
    private static string Escape(byte[] bytes)
    {
        var text = new StringBuilder();
        foreach (var b in bytes)
            if (b is (byte)'\\' or < 0x20 or 0x7F)
                text.Append('\\').Append((char)b); // a backslash before what is no letter of an escape gives it back
            else if (b < 0x7F)
                text.Append((char)b);
            else
                text.Append(CultureInfo.InvariantCulture, $"\\x{b:x2}");
        return text.ToString();
    }

    private static Tensor Convert(Weights weights, WeightTensor tensor)
    {
        int[] shape = tensor.IsMatrix ? [tensor.Rows, tensor.Columns] : [tensor.Columns];
        ReadOnlyMemory<float> values = weights.Values.AsMemory(tensor.Offset, tensor.Length);
        var interleave = tensor.Name.EndsWith(".q_proj.weight", StringComparison.Ordinal) || tensor.Name.EndsWith(".k_proj.weight", StringComparison.Ordinal);
        return new(GgufName(tensor.Name), shape, interleave ? Interleave(values.Span, weights.Shape) : values);
    }

    /// <summary>Rows of each head from (i, i + D/2) pairs, as Hugging Face rotates them, to neighbours, as llama.cpp does.</summary>
    private static float[] Interleave(ReadOnlySpan<float> rows, ModelShape shape)
    {
        var (width, half) = (shape.Width, shape.Head / 2);
        var result = new float[rows.Length];
        for (var r = 0; r < width; r++)
        {
            var (first, i) = (r / shape.Head * shape.Head, r % shape.Head);
            var to = first + (i < half ? 2 * i : 2 * (i - half) + 1);
            rows.Slice(r * width, width).CopyTo(result.AsSpan(to * width));
        }
        return result;
    }

    private static string GgufName(string name) => name switch
    {
        "model.embed_tokens.weight" => "token_embd.weight",
        "model.norm.weight" => "output_norm.weight",
        _ => name.Replace("model.layers.", "blk.", StringComparison.Ordinal)
            .Replace("input_layernorm", "attn_norm", StringComparison.Ordinal)
            .Replace("post_attention_layernorm", "ffn_norm", StringComparison.Ordinal)
            .Replace("self_attn.q_proj", "attn_q", StringComparison.Ordinal)
            .Replace("self_attn.k_proj", "attn_k", StringComparison.Ordinal)
            .Replace("self_attn.v_proj", "attn_v", StringComparison.Ordinal)
            .Replace("self_attn.o_proj", "attn_output", StringComparison.Ordinal)
            .Replace("mlp.gate_proj", "ffn_gate", StringComparison.Ordinal)
            .Replace("mlp.up_proj", "ffn_up", StringComparison.Ordinal)
            .Replace("mlp.down_proj", "ffn_down", StringComparison.Ordinal),
    };
}
