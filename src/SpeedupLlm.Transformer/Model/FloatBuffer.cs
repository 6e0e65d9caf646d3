using System.Runtime.InteropServices;

namespace SpeedupLlm.Transformer.Model;

/// <summary>Zeroed floats outside the managed heap that start on a cache line, since loads that cross lines cost twice.</summary>
/// <remarks>Freed by <see cref="Dispose"/> or the finalizer. Whoever keeps <see cref="Pointer"/> must keep this object alive.</remarks>
internal sealed unsafe class FloatBuffer : IDisposable
{
    private float* _pointer;

    public FloatBuffer(long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        Length = length;
        var bytes = (nuint)Math.Max(1, length) * sizeof(float);
        _pointer = (float*)NativeMemory.AlignedAlloc(bytes, 64);
        NativeMemory.Clear(_pointer, bytes);
        GC.AddMemoryPressure((long)bytes);
    }

    ~FloatBuffer() => Free();

    public long Length { get; }

    /// <summary>The first float. Aligned to 64 bytes.</summary>
    public float* Pointer => _pointer != null ? _pointer : throw new ObjectDisposedException(nameof(FloatBuffer));

    public Span<float> Span => new(Pointer, checked((int)Length));

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        if (_pointer == null)
            return;
        NativeMemory.AlignedFree(_pointer);
        GC.RemoveMemoryPressure(Math.Max(1, Length) * sizeof(float));
        _pointer = null;
    }
}
