using SpeedupLlm.Worlds.Clubs;
using SpeedupLlm.Worlds.Facts;
using SpeedupLlm.Worlds.Riddles;
using SpeedupLlm.Worlds.Robots;

namespace SpeedupLlm.Worlds.Tests.Riddles;

/// <summary>The books of all worlds of riddles: what holds of one holds of all.</summary>
internal static class Books
{
    public static IReadOnlyList<RuleBook> All { get; } = [new FactBook(), new ClubBook(), new RobotBook()];

    public static RuleBook Of(string name) => All.Single(b => b.Name == name);

    public static TheoryData<string> Names() => [.. All.Select(b => b.Name)];
}
