using FsCheck;
using FsCheck.Fluent;
using SpeedupLlm.Compute;

namespace SpeedupLlm.Worlds.Tests;

/// <summary>Runs a property over random streams: FsCheck draws the stream, the world draws from it.</summary>
internal static class Laws
{
    public static void Hold(int times, Func<StreamRandom, bool> law) => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(times).WithReplay(20_250_520, 1),
        Prop.ForAll(ArbMap.Default.ArbFor<int>(), seed => law(new StreamRandom(StreamKey.Root(seed).Child("law")))));

    public static void Hold(int times, Action<StreamRandom> law) => Hold(times, random =>
    {
        law(random);
        return true;
    });
}
