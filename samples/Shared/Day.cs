using System.Globalization;
using Microsoft.Extensions.AI;
using SpeedupLlm.Prompts;
using SpeedupLlm.Reasoning;
using SpeedupLlm.Worlds;

namespace SpeedupLlm.Samples;

/// <summary>The account of a scripted day: what each half cost, everything counted.</summary>
internal sealed class Day(ExperiencedChatClient client, int questions)
{
    private static readonly CompactPrompts Prompts = new();

    private readonly decimal[] _cost = new decimal[2];
    private readonly int[] _right = new int[2];
    private readonly int[] _remembered = new int[2];
    private int _asked;

    /// <summary>Whether the morning is over.</summary>
    public bool IsAfternoon => _asked >= questions / 2;

    /// <summary>Counts an answer, and says whether it was right.</summary>
    public async Task<bool> CountAsync(Example asked, ChatResponse response)
    {
        await client.FlushAsync(); // a script has no pauses to learn in
        var half = _asked * 2 / questions;
        var right = EmbeddedReasoner.World.Verify(asked, Prompts.Final(response.Text));
        _right[half] += right ? 1 : 0;
        _remembered[half] += ExperienceReport.Of(response.AdditionalProperties) is { Stop: StopReason.Recalled } ? 1 : 0;
        _cost[half] = client.Savings.All().Sum(s => s.Plain.Cost + s.Experienced.Cost + s.Shadowed.Cost) - (half == 0 ? 0 : _cost[0]);
        _asked++;
        return right;
    }

    /// <summary>Prints the day in a few lines.</summary>
    public void Print()
    {
        Print("morning", 0);
        Print("afternoon", 1);
        foreach (var savings in client.Savings.All())
        {
            if (savings.WouldSaveShare is { } would)
                Console.WriteLine(Invariant($"{savings.Tenant}: while observing, experience would have cost {1 - would.Value:P0} of a plain call ({1 - would.High:P0} to {1 - would.Low:P0}), learning included"));
            Console.WriteLine(savings.SavedShare is { } saved
                ? Invariant($"{savings.Tenant}: beside one plain call {saved.Value:P0} saved ({saved.Low:P0} to {saved.High:P0})")
                : Invariant($"{savings.Tenant}: what is saved beside one plain call is unknown yet, with {savings.Plain.Questions} asked plainly"));
        }
    }

    private void Print(string name, int half) => Console.WriteLine(Invariant(
        $"{name,-9} {questions / 2} questions, full cost {_cost[half]:0}, {_remembered[half]} answered from memory, {_right[half]} right"));

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
