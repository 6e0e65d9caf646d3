using SpeedupLlm.Worlds.Clubs;
using SpeedupLlm.Worlds.Facts;
using SpeedupLlm.Worlds.Riddles;
using SpeedupLlm.Worlds.Robots;
using SpeedupLlm.Worlds.Tariffs;

namespace SpeedupLlm.Worlds;

/// <summary>The worlds by name. A new world is one line here.</summary>
public static class WorldCatalogue
{
    private static readonly Lazy<IReadOnlyList<IWorld>> Made = new(() => [new TariffWorld(), new RiddleWorld(new FactBook()), new RiddleWorld(new ClubBook()), new RiddleWorld(new RobotBook())]);

    /// <summary>All worlds, in a fixed order.</summary>
    public static IReadOnlyList<IWorld> All => Made.Value;

    /// <summary>The names of all worlds.</summary>
    public static IReadOnlyList<string> Names => [.. All.Select(w => w.Name)];

    /// <summary>The world that a fingerprint is of, whatever its version; null if there is none.</summary>
    public static IWorld? OfFingerprint(string fingerprint) => All.FirstOrDefault(w => fingerprint.StartsWith(w.Name + "-", StringComparison.Ordinal));

    /// <summary>The world called <paramref name="name"/>, or null.</summary>
    public static IWorld? Find(string name) => All.FirstOrDefault(w => string.Equals(w.Name, name, StringComparison.Ordinal));
}
