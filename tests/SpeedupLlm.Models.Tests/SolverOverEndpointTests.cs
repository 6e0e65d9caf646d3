using Microsoft.Extensions.AI;
using SpeedupLlm.Compute;
using SpeedupLlm.Reasoning;
using SpeedupLlm.Scoring;
using SpeedupLlm.Testing;
using SpeedupLlm.Testing.Endpoints;

namespace SpeedupLlm.Models.Tests;

/// <summary>The whole way of a question over a real socket: search, judge, bill; recorded and replayed without the server.</summary>
public sealed class SolverOverEndpointTests
{
    private static readonly Question Question = Question.FromText("What is 40 + 2?");

    [Fact]
    public async Task SolveAsync_OverAnEndpoint_FindsTheAnswerAndReplaysWithoutIt()
    {
        using var folder = new TemporaryFolder();
        var file = folder.File("run.jsonl");
        Solution live, streamed;
        await using (var server = await OpenAiServer.StartAsync(ScriptedApprentice.Create(0.3), "scripted"))
        {
            using var recorder = new Recorder(await ConnectAsync(server), file);
            await using var solver = Solver(recorder);
            live = await solver.SolveAsync(Question, Request(1), CancellationToken.None);
            streamed = await StreamAsync(solver, Request(2));
        }

        Assert.All([live, streamed], s =>
        {
            Assert.Equal(("42", StopReason.Threshold, true), (s.Best!.Final, s.Stop, s.Accepted));
            Assert.Equal(s.Attempts.Count, s.Bill.Charges.Count(c => c.Purpose == CallPurpose.Solve));
            Assert.Contains(s.Bill.Charges, c => c.Purpose == CallPurpose.Score);
            Assert.All(s.Bill.Charges, c => Assert.False(c.Estimated));
        });
        Assert.NotEqual(live.Attempts.Select(a => a.Text), streamed.Attempts.Select(a => a.Text));

        using var replay = RecordedCalls.Open(file);
        await using var again = Solver(replay);
        Assert.Equal(Shape(live), Shape(await again.SolveAsync(Question, Request(1), CancellationToken.None)));
        Assert.Equal(Shape(streamed), Shape(await StreamAsync(again, Request(2))));
    }

    [Fact]
    public async Task SolveAsync_SomeCallsFail_GoesOnWithThoseThatCame()
    {
        var count = 0;
        await using var server = await FakeEndpoint.StartAsync((_, http) => Interlocked.Increment(ref count) <= 2
            ? http.AnswerAsync(200, "<html>", "text/html")
            : http.AnswerAsync(200, FakeAnswers.Completion("Try it. Answer 42.")));
        using var client = new OpenAiChatClient(new() { Endpoint = server.Address, Model = "m", KeyVariable = "SPEEDUP_TEST_NO_KEY", Prompts = "compact" });
        await using var solver = new Solver(client, new() { Scaling = new BestOfN(), Scorer = FakeScorer.Right() });

        var solution = await solver.SolveAsync(Question, CancellationToken.None);

        Assert.Equal("42", solution.Best!.Final);
        Assert.Equal([false, false, true], solution.Attempts.Select(a => a.Complete));
        Assert.All(solution.Attempts.Take(2), a => Assert.Contains("a web page", a.Error!, StringComparison.Ordinal));
    }

    private static Solver Solver(IChatClient client) => new(client, new() { Scaling = new BestOfN(), Scorer = new JudgeScorer() });

    private static SolveRequest Request(int stream) => new() { Stream = StreamKey.Root(stream) };

    private static Task<OpenAiChatClient> ConnectAsync(FakeEndpoint server) => OpenAiChatClient.ConnectAsync(
        server.Address.AbsoluteUri, null, o => o with { KeyVariable = "SPEEDUP_TEST_NO_KEY", Prompts = "compact" }, CancellationToken.None);

    private static async Task<Solution> StreamAsync(Solver solver, SolveRequest request)
    {
        Solution? solution = null;
        await foreach (var e in solver.StreamAsync(Question, request, CancellationToken.None))
            solution = (e as Finished)?.Solution ?? solution;
        return solution!;
    }

    private static string Shape(Solution s) => string.Join('\n',
        s.Attempts.Select(a => FormattableString.Invariant($"{a.Index} {a.Text} {a.Final} {a.Score.Value} {a.Finish}"))
            .Concat(s.Bill.Charges.Select(c => FormattableString.Invariant($"{c.Purpose} {c.Input} {c.CachedInput} {c.Output} {c.Reasoning}"))));
}
