using System.Runtime.InteropServices;
using System.Text;

namespace SpeedupLlm.Transformer.Formats;

/// <summary>Collects keys and tensors, then writes a GGUF file of version 3 (little-endian, data aligned to 32 bytes).</summary>
internal sealed class GgufWriter
{
    private const int Alignment = 32;
    private readonly MemoryStream _keys = new();
    private readonly List<Tensor> _tensors = [];
    private long _keyCount;

    private enum ValueType : uint
    {
        UInt32 = 4,
        Int32 = 5,
        Float32 = 6,
        Bool = 7,
        String = 8,
        Array = 9,
    }

    public void Add(string key, uint value) => Put(key, ValueType.UInt32, w => w.Write(value));

    public void Add(string key, float value) => Put(key, ValueType.Float32, w => w.Write(value));

    public void Add(string key, bool value) => Put(key, ValueType.Bool, w => w.Write(value));

    public void Add(string key, string value) => Put(key, ValueType.String, w => Write(w, value));

    public void Add(string key, IReadOnlyList<int> values) => PutArray(key, ValueType.Int32, values, (w, v) => w.Write(v));

    public void Add(string key, IReadOnlyList<float> values) => PutArray(key, ValueType.Float32, values, (w, v) => w.Write(v));

    public void Add(string key, IReadOnlyList<string> values) => PutArray(key, ValueType.String, values, Write);

    /// <summary>Adds a tensor; its shape is written innermost first, as ggml counts axes.</summary>
    public void Add(Tensor tensor) => _tensors.Add(tensor);

    public void WriteTo(Stream stream)
    {
        using var w = new BinaryWriter(stream, Encoding.UTF8, leaveOpen: true);
        w.Write("GGUF"u8);
        w.Write(3u);
        w.Write((long)_tensors.Count);
        w.Write(_keyCount);
        w.Write(_keys.GetBuffer().AsSpan(0, (int)_keys.Length));
        var written = 24 + _keys.Length;
        var offset = 0L;
        foreach (var tensor in _tensors)
        {
            written += Write(w, tensor.Name);
            w.Write(tensor.Shape.Count);
            foreach (var length in tensor.Shape.Reverse())
                w.Write((long)length);
            w.Write(0u); // F32
            w.Write(offset);
            written += 4 + 8 * tensor.Shape.Count + 4 + 8;
            offset = Align(offset + 4L * tensor.Values.Length);
        }
        Pad(w, written);
        foreach (var tensor in _tensors)
        {
            w.Write(MemoryMarshal.AsBytes(tensor.Values.Span));
            Pad(w, 4L * tensor.Values.Length);
        }
    }

    private static long Align(long n) => (n + Alignment - 1) / Alignment * Alignment;

    private static void Pad(BinaryWriter w, long written) => w.Write(new byte[Align(written) - written]);

    private static long Write(BinaryWriter w, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        w.Write((long)bytes.Length);
        w.Write(bytes);
        return 8 + bytes.Length;
    }

    private void Put(string key, ValueType type, Action<BinaryWriter> value)
    {
        using var w = new BinaryWriter(_keys, Encoding.UTF8, leaveOpen: true);
        Write(w, key);
        w.Write((uint)type);
        value(w);
        _keyCount++;
    }

    private void PutArray<T>(string key, ValueType type, IReadOnlyList<T> values, Action<BinaryWriter, T> write) => Put(key, ValueType.Array, w =>
    {
        w.Write((uint)type);
        w.Write((long)values.Count);
        foreach (var value in values)
            write(w, value);
    });

    private void PutArray(string key, ValueType type, IReadOnlyList<string> values, Func<BinaryWriter, string, long> write) =>
        PutArray<string>(key, type, values, (w, v) => write(w, v));
}
