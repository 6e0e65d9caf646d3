// A search helper. What people look up is skewed: a few queries come again and again. In the morning experience only observes: everybody gets the model's
// plain answer, as it streams, and what experience would have cost is measured beside it. At noon it is switched on, by one line, with what it has learnt.
using Microsoft.Extensions.AI;
using SpeedupLlm;
using SpeedupLlm.Compute;
using SpeedupLlm.Relevancy;
using SpeedupLlm.Samples;
using SpeedupLlm.Sqlite;
using SpeedupLlm.Worlds;

const int questions = 80;
var seed = StreamKey.Root(2);
var people = new StreamRandom(seed.Child("people"));
var firms = Enumerable.Range(0, 20).Select(i => EmbeddedReasoner.World.Group(i, Split.Development, seed)).ToList();

var folder = Directory.CreateTempSubdirectory("search-helper-");
await using (var store = await SqliteStore.OpenAsync(Path.Combine(folder.FullName, "experience.db"), null, CancellationToken.None))
{
    var options = new ExperienceOptions
    {
        Mode = ExperienceMode.Observe,
        ObserveShare = 50, // a script's day is short: observe as good as everything
        Solver = new() { Stream = seed, Store = store },
    };
    await using var helper = EmbeddedReasoner.Open().WithExperience(options);
    var day = new Day(helper, questions);
    for (var i = 0; i < questions; i++)
    {
        if (day.IsAfternoon)
            helper.Mode = ExperienceMode.On;
        // the square of an even draw: the first firms are looked up most
        var popular = (int)(Math.Pow(people.NextDouble(), 2) * firms.Count);
        var asked = firms[popular].At(SimilarityLevel.S3, people.Next(2));
        var response = await helper.GetStreamingResponseAsync(asked.Question).ToChatResponseAsync();
        await day.CountAsync(asked, response);
    }
    day.Print();
}
folder.Delete(recursive: true);
