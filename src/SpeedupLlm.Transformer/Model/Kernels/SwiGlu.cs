using System.Runtime.CompilerServices;

namespace SpeedupLlm.Transformer.Model.Kernels;

/// <summary><c>y = silu(gate) · up</c> (SwiGLU, arXiv 2002.05202), gate and up side by side in rows of 2·F. F is a multiple of 16.</summary>
internal static unsafe class SwiGlu
{
    /// <summary>y (rows, F) from gateUp (rows, 2·F).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Forward<TLanes>(float* gateUp, int rows, int hidden, float* y)
        where TLanes : unmanaged, ILanes<TLanes>
    {
        for (var t = 0; t < rows; t++, gateUp += 2 * hidden, y += hidden)
        {
            for (var i = 0; i < hidden; i += Lanes.Count)
            {
                var gate = TLanes.Load(gateUp + i);
                (gate * Exponential.Sigmoid(gate) * TLanes.Load(gateUp + hidden + i)).Store(y + i);
            }
        }
    }

    /// <summary>dGateUp (rows, 2·F) from dy (rows, F).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Backward<TLanes>(float* dy, float* gateUp, int rows, int hidden, float* dGateUp)
        where TLanes : unmanaged, ILanes<TLanes>
    {
        var one = TLanes.Broadcast(1f);
        for (var t = 0; t < rows; t++, gateUp += 2 * hidden, dGateUp += 2 * hidden, dy += hidden)
        {
            for (var i = 0; i < hidden; i += Lanes.Count)
            {
                var (gate, up, d) = (TLanes.Load(gateUp + i), TLanes.Load(gateUp + hidden + i), TLanes.Load(dy + i));
                var sigmoid = Exponential.Sigmoid(gate);

                // silu'(g) = σ·(1 + g·(1 - σ))
                (d * up * (sigmoid * TLanes.Fma(gate, one - sigmoid, one))).Store(dGateUp + i);
                (d * (gate * sigmoid)).Store(dGateUp + hidden + i);
            }
        }
    }
}
