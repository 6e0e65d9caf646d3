using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.AI;
using SpeedupLlm.Compute;
using SpeedupLlm.Memory;
using SpeedupLlm.Prompts;
using SpeedupLlm.Testing.Endpoints;

namespace SpeedupLlm.Models.Tests;

/// <summary>Fine-tuning over files and jobs, against a server that keeps both.</summary>
public sealed class OpenAiFineTunerTests
{
    private static readonly TrainingPair[] Pairs =
    [
        new(new(PromptTask.Guess, [new(ChatRole.System, "guess"), new(ChatRole.User, "q “1”\n漢")], null, null), "a1"),
        new(new(PromptTask.Guess, [new(ChatRole.User, "q2")], null, null), "a2"),
    ];

    [Fact]
    public async Task TrainAsync_JobSucceeds_GivesTheNewModelsName()
    {
        await using var endpoint = await ServerAsync(polls => polls < 3 ? "running" : "succeeded");
        using var client = Client(endpoint, new() { Epochs = 2, PollInterval = TimeSpan.FromMilliseconds(1) });
        var trainer = client.GetService<IAdapterTrainer>()!;

        var trained = await trainer.TrainAsync(null, Pairs, StreamKey.Root(1), default);

        Assert.Equal(("ft:m:speedup:1", $"openai:{endpoint.Address.Authority}/m", 42, 2.5, 0.5),
            (trained.Adapter.Id, trained.Adapter.ModelFingerprint, trained.Tokens, trained.LossBefore, trained.LossAfter));
        var upload = endpoint.Requests.Single(r => r.Path == "/v1/files");
        Assert.Contains(string.Concat(Pairs.Select(p => TrainingFile.ToLine(p) + "\n")), upload.Text, StringComparison.Ordinal);
        Assert.Contains("""{"messages":[{"role":"user","content":"q2"},{"role":"assistant","content":"a2"}]}""" + "\n", upload.Text, StringComparison.Ordinal);
        Assert.Matches("name=\"?purpose\"?\r\n\r\nfine-tune\r\n", upload.Text);
        var job = endpoint.Requests.Single(r => r.Path == "/v1/fine_tuning/jobs").Body;
        Assert.Equal(("m", "file-1", 2, "speedup"), ((string?)job["model"], (string?)job["training_file"], (int?)job["hyperparameters"]!["n_epochs"], (string?)job["suffix"]));
        Assert.Equal("/v1/files/file-1", endpoint.Requests[^1].Path);
        Assert.True(client.GetService<ModelTraits>()!.Adapters);

        // and on from there
        await trainer.TrainAsync(trained.Adapter, Pairs, StreamKey.Root(1), default);
        Assert.Equal("ft:m:speedup:1", (string?)endpoint.Requests.Last(r => r.Path == "/v1/fine_tuning/jobs").Body["model"]);
    }

    [Fact]
    public async Task ExportAsync_RoundTrip_IsTheSameAdapterAndOthersAreRefused()
    {
        await using var endpoint = await ServerAsync(_ => "succeeded");
        using var client = Client(endpoint, new());
        var trainer = client.GetService<IAdapterTrainer>()!;
        var adapter = new AdapterRef("ft:m:“1”", client.GetService<ModelTraits>()!.Fingerprint);

        var content = await trainer.ExportAsync(adapter, default);

        Assert.Equal(adapter, await trainer.ImportAsync(content, default));
        await Assert.ThrowsAsync<ArgumentException>(() => trainer.ExportAsync(new("x", "another"), default).AsTask());
        await Assert.ThrowsAsync<ArgumentException>(() => trainer.TrainAsync(new("x", "another"), Pairs, StreamKey.Root(1), default).AsTask());
        await Assert.ThrowsAsync<InvalidDataException>(() => trainer.ImportAsync(new byte[] { 1, 2, 3 }, default).AsTask());
        using var other = new OpenAiChatClient(new() { Endpoint = endpoint.Address, Model = "other", FineTuning = new() });
        await Assert.ThrowsAsync<InvalidDataException>(() => other.GetService<IAdapterTrainer>()!.ImportAsync(content, default).AsTask());
    }

    [Theory]
    [InlineData("failed", "fine-tuning job job-1 failed: too few examples.")]
    [InlineData("cancelled", "fine-tuning job job-1 cancelled: too few examples.")]
    public async Task TrainAsync_JobFails_SaysWhyAndTheFileIsDeleted(string status, string expected)
    {
        await using var endpoint = await ServerAsync(_ => status);
        using var client = Client(endpoint, new());

        var e = await Assert.ThrowsAsync<UpstreamException>(() => client.GetService<IAdapterTrainer>()!.TrainAsync(null, Pairs, StreamKey.Root(1), default).AsTask());

        Assert.Equal($"{endpoint.Address}: {expected}", e.Message);
        Assert.Contains(endpoint.Requests, r => r.Path == "/v1/files/file-1");
    }

    [Fact]
    public async Task TrainAsync_CallerGoesAway_JobIsCancelledAndTheFileDeleted()
    {
        await using var endpoint = await ServerAsync(_ => "running");
        using var client = Client(endpoint, new() { PollInterval = TimeSpan.FromMilliseconds(1) });
        using var caller = new CancellationTokenSource();

        var training = client.GetService<IAdapterTrainer>()!.TrainAsync(null, Pairs, StreamKey.Root(1), caller.Token).AsTask();
        while (!endpoint.Requests.Any(r => r.Path == "/v1/fine_tuning/jobs/job-1"))
            await Task.Delay(5, caller.Token);
        await caller.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => training);
        Assert.Equal(["/v1/fine_tuning/jobs/job-1/cancel", "/v1/files/file-1"], endpoint.Requests.Select(r => r.Path).TakeLast(2));
    }

    [Fact]
    public async Task TrainAsync_JobOutlastsTheDeadline_IsCancelled()
    {
        await using var endpoint = await ServerAsync(_ => "queued");
        using var client = Client(endpoint, new() { PollInterval = TimeSpan.FromMilliseconds(1), Deadline = TimeSpan.FromMilliseconds(30), KeepFile = true });

        var e = await Assert.ThrowsAsync<UpstreamException>(() => client.GetService<IAdapterTrainer>()!.TrainAsync(null, Pairs, StreamKey.Root(1), default).AsTask());

        Assert.Contains("was not done after 00:00:00.0300000 and was cancelled", e.Message, StringComparison.Ordinal);
        Assert.Equal("/v1/fine_tuning/jobs/job-1/cancel", endpoint.Requests[^1].Path);
    }

    [Theory]
    [InlineData(429, 2)]
    [InlineData(500, 1)]
    public async Task TrainAsync_CreatingTheJobFails_IsTriedAgainOnlyIfItCannotHaveStarted(int status, int expected)
    {
        await using var endpoint = await FakeEndpoint.StartAsync((request, http) =>
        {
            http.Response.Headers.RetryAfter = "0";
            return request.Path switch
            {
                "/v1/files" => http.AnswerAsync(200, """{"id":"file-1"}"""),
                _ => http.AnswerAsync(status, FakeAnswers.Error("no")),
            };
        });
        using var client = Client(endpoint, new() { KeepFile = true }, retries: 1);

        await Assert.ThrowsAnyAsync<UpstreamException>(() => client.GetService<IAdapterTrainer>()!.TrainAsync(null, Pairs, StreamKey.Root(1), default).AsTask());

        Assert.Equal(expected, endpoint.Requests.Count(r => r.Path == "/v1/fine_tuning/jobs"));
    }

    [Fact]
    public void GetService_WithoutFineTuning_OffersNoTrainer()
    {
        using var client = new OpenAiChatClient(new() { Endpoint = new("http://127.0.0.1:1/v1"), Model = "m" });

        Assert.Null(client.GetService<IAdapterTrainer>());
        Assert.False(client.GetService<ModelTraits>()!.Adapters);
    }

    private static OpenAiChatClient Client(FakeEndpoint endpoint, FineTuneOptions tuning, int retries = 6) =>
        new(new() { Endpoint = endpoint.Address, Model = "m", KeyVariable = "SPEEDUP_TEST_NO_KEY", FineTuning = tuning, Retries = retries });

    private static Task<FakeEndpoint> ServerAsync(Func<int, string> status)
    {
        var polls = 0;
        return FakeEndpoint.StartAsync((request, http) => request.Path switch
        {
            "/v1/files" => http.AnswerAsync(200, """{"id":"file-1","object":"file"}"""),
            "/v1/fine_tuning/jobs" => http.AnswerAsync(200, """{"id":"job-1","status":"validating_files"}"""),
            "/v1/fine_tuning/jobs/job-1" => JobAsync(http, status(Interlocked.Increment(ref polls))),
            "/v1/fine_tuning/jobs/job-1/events?limit=100" => http.AnswerAsync(200,
                """{"data":[{"type":"metrics","data":{"step":9,"train_loss":0.5}},{"type":"message","data":{}},{"type":"metrics","data":{"step":1,"train_loss":2.5}}]}"""),
            _ => http.AnswerAsync(200, "{}"),
        });
    }

    private static Task JobAsync(HttpContext http, string status) => http.AnswerAsync(200, new JsonObject
    {
        ["id"] = "job-1",
        ["status"] = status,
        ["fine_tuned_model"] = status == "succeeded" ? "ft:m:speedup:1" : null,
        ["trained_tokens"] = status == "succeeded" ? 42 : null,
        ["error"] = status is "failed" or "cancelled" ? new JsonObject { ["message"] = "too few examples" } : null,
    }.ToJsonString());
}
