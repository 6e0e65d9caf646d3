// A clinic's intake desk. The small model of the samples knows nothing of medicine, so patients here ask what the ride to the clinic or the parcel with their
// medicine costs. Some begin by saying who they are. What they say of themselves must not be remembered: a filter looks at the whole conversation, and
// what it refuses leaves nothing behind, no episode and no lesson. Everybody is answered; only the rest gets cheaper.
using System.Text.RegularExpressions;
using Microsoft.Extensions.AI;
using SpeedupLlm;
using SpeedupLlm.Compute;
using SpeedupLlm.Experience;
using SpeedupLlm.Relevancy;
using SpeedupLlm.Samples;
using SpeedupLlm.Worlds;

const int questions = 60;
var seed = StreamKey.Root(3);
var patients = new StreamRandom(seed.Child("patients"));
var rides = Enumerable.Range(0, 5).Select(i => EmbeddedReasoner.World.Group(i, Split.Development, seed)).ToList();

await using var store = new InMemoryStore();
var options = new ExperienceOptions
{
    Solver = new() { Stream = seed, Store = store },
    MayLearn = solution => !solution.Question.Messages.Any(m => Patterns.Personal().IsMatch(m.Text)),
};
await using var desk = EmbeddedReasoner.Open().WithExperience(options);
var day = new Day(desk, questions);
var personal = 0;
for (var i = 0; i < questions; i++)
{
    var asked = patients.Pick(rides).At(SimilarityLevel.S3, patients.Next(4));
    List<ChatMessage> conversation = [new(ChatRole.System, "You are the intake desk.")];
    if (patients.Next(5) == 0)
    {
        personal++;
        conversation.Add(new(ChatRole.User, "My name is Ada Example, born on 1 May 1950. I take warfarin."));
        conversation.Add(new(ChatRole.Assistant, "Thank you. What would you like to know?"));
    }
    conversation.Add(new(ChatRole.User, asked.Question));
    await day.CountAsync(asked, await desk.GetResponseAsync(conversation));
}
day.Print();

var kept = new MemoryStream();
await ExperienceFile.ExportAsync(store, Caller.Local.Tenant, kept, CancellationToken.None);
var text = System.Text.Encoding.UTF8.GetString(kept.ToArray());
var episodes = (await store.CheckAsync(CancellationToken.None)).Episodes;
Console.WriteLine(FormattableString.Invariant($"{personal} patients said who they are; of {episodes} episodes kept, {Patterns.Personal().Count(text)} say it too"));

/// <summary>What this desk takes for personal. A real one would have its own list, or a classifier.</summary>
internal static partial class Patterns
{
    [GeneratedRegex(@"\b(my name is|born on|I take|diagnos\w+|allerg\w+)\b", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    public static partial Regex Personal();
}
