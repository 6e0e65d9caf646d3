using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using SpeedupLlm.Testing.Endpoints;

namespace SpeedupLlm.Gateway.Tests;

/// <summary>A model behind an endpoint: it answers every question with 42 and judges every answer well.</summary>
internal static class FakeModel
{
    public const string Text = "40 and 2 is 42.\nAnswer: 42";

    public static Task<FakeEndpoint> StartAsync(string text = Text) => FakeEndpoint.StartAsync((request, http) => AnswerAsync(request, http, text));

    public static bool IsJudging(FakeRequest request) => request.Text.Contains("SCORE: n", StringComparison.Ordinal);

    public static Task AnswerAsync(FakeRequest request, HttpContext http, string text = Text)
    {
        var said = IsJudging(request) ? "SCORE: 9" : text;
        return (bool?)request.Body["stream"] == true
            ? http.StreamAsync(
                FakeAnswers.Chunk("""{"role":"assistant","content":""}"""),
                FakeAnswers.Chunk(new JsonObject { ["content"] = said }.ToJsonString()),
                FakeAnswers.Chunk("{}", "stop"),
                FakeAnswers.UsageChunk(),
                FakeAnswers.Done)
            : http.AnswerAsync(200, FakeAnswers.Completion(said));
    }
}
