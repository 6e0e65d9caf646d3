// A support desk. Customers of six firms ask for prices all day; many ask what somebody else asked before, in the same words or in others.
// One line puts experience around the model, and the afternoon costs less than the morning. A customer who got a wrong answer complains, and a
// colleague writes down what would have been right: that is what is remembered.
using Microsoft.Extensions.AI;
using SpeedupLlm;
using SpeedupLlm.Compute;
using SpeedupLlm.Relevancy;
using SpeedupLlm.Samples;
using SpeedupLlm.Worlds;

const int questions = 60;
var seed = StreamKey.Root(1);
var customers = new StreamRandom(seed.Child("customers"));
var firms = Enumerable.Range(0, 6).Select(i => EmbeddedReasoner.World.Group(i, Split.Development, seed)).ToList();

await using var desk = EmbeddedReasoner.Open().WithExperience(new() { Solver = new() { Stream = seed } });
var day = new Day(desk, questions);
for (var i = 0; i < questions; i++)
{
    var asked = customers.Pick(firms).At(customers.Next(4) == 0 ? SimilarityLevel.S2 : SimilarityLevel.S3, customers.Next(4));
    var response = await desk.GetResponseAsync([new(ChatRole.System, "You answer customers of our firms."), new ChatMessage(ChatRole.User, asked.Question)]);
    if (!await day.CountAsync(asked, response) && ExperienceReport.Of(response.AdditionalProperties)?.Episode is { } episode)
        await desk.FeedbackAsync(episode, Feedback.Reference(asked.WorkedSolution));
}
day.Print();
