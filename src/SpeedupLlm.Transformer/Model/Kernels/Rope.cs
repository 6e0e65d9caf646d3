using System.Runtime.CompilerServices;

namespace SpeedupLlm.Transformer.Model.Kernels;

/// <summary>Rotary positions (RoPE, arXiv 2104.09864) as Hugging Face's Llama has them: element i of a head turns with element i + D/2.</summary>
/// <remarks>The turned query is also multiplied by 1/√D, so that scores are plain products.</remarks>
internal sealed unsafe class Rope : IDisposable
{
    private readonly FloatBuffer _cos;
    private readonly FloatBuffer _sin;
    private readonly int _width;
    private readonly int _head;
    private readonly float _scale;

    public Rope(ModelShape shape)
    {
        (_width, _head) = (shape.Width, shape.Head);
        _scale = (float)(1 / Math.Sqrt(_head));
        var half = _head / 2;
        _cos = new((long)shape.Context * half);
        _sin = new((long)shape.Context * half);
        for (var t = 0; t < shape.Context; t++)
        {
            for (var i = 0; i < half; i++)
            {
                var (sin, cos) = Math.SinCos(t * Math.Pow(shape.RopeBase, -2.0 * i / _head));
                _cos.Pointer[(nint)t * half + i] = (float)cos;
                _sin.Pointer[(nint)t * half + i] = (float)sin;
            }
        }
    }

    /// <summary>Turns q and k of one row (3·C: q, k, v) in place.</summary>
    public void Turn<TLanes>(float* qkv, int position)
        where TLanes : unmanaged, ILanes<TLanes>
    {
        Turn<TLanes>(qkv, position, 1, _scale);
        Turn<TLanes>(qkv + _width, position, 1, 1);
    }

    /// <summary>The gradient of <see cref="Turn{TLanes}(float*, int)"/> in place: turned back.</summary>
    public void TurnBack<TLanes>(float* dQkv, int position)
        where TLanes : unmanaged, ILanes<TLanes>
    {
        Turn<TLanes>(dQkv, position, -1, _scale);
        Turn<TLanes>(dQkv + _width, position, -1, 1);
    }

    public void Dispose()
    {
        _cos.Dispose();
        _sin.Dispose();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Turn<TLanes>(float* row, int position, float direction, float scale)
        where TLanes : unmanaged, ILanes<TLanes>
    {
        var half = _head / 2;
        float* cos = _cos.Pointer + (nint)position * half, sin = _sin.Pointer + (nint)position * half;
        var (along, across) = (TLanes.Broadcast(scale), TLanes.Broadcast(scale * direction));
        for (var i = 0; i < half; i += Lanes.Count)
        {
            var (c, s) = (TLanes.Load(cos + i) * along, TLanes.Load(sin + i) * across);
            for (var h = 0; h < _width; h += _head)
            {
                float* first = row + h + i, second = first + half;
                var (a, b) = (TLanes.Load(first), TLanes.Load(second));
                (a * c - b * s).Store(first);
                (a * s + b * c).Store(second);
            }
        }
    }
}
