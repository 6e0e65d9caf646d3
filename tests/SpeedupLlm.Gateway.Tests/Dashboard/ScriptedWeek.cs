using System.Globalization;
using Microsoft.AspNetCore.Http;
using SpeedupLlm.Compute;
using SpeedupLlm.Experience;
using SpeedupLlm.Gateway.Configuration;
using SpeedupLlm.Gateway.Tenants;
using SpeedupLlm.Testing;
using SpeedupLlm.Testing.Endpoints;

namespace SpeedupLlm.Gateway.Tests.Dashboard;

/// <summary>The last week of a support desk, on a clock of its own: most questions come again and again, some are new. The model behind it is scripted.</summary>
internal sealed class ScriptedWeek : IAsyncDisposable
{
    public const string TenantKey = "sk-support", AdminKey = "sk-admin";

    private const string Worked = """
        Thank you for asking. Our price list has one price for each piece, and no discount for many of them. What you ask about costs 3 a piece, packing
        included. So the whole costs three times the number of pieces. Delivery within the city is free on weekdays; on Saturdays and for islands the carrier
        adds a fee of its own, which is not part of this answer. If you order before noon we hand it over on the same day. Please keep the receipt: returns
        within thirty days are accepted with it. The reckoning is the number of pieces, times 3, and nothing is added to it.
        """;

    private readonly FakeTime _clock = new(TimeProvider.System.GetUtcNow().AddDays(-7));
    private readonly InMemoryStore _store = new();
    private FakeEndpoint _model = null!;

    /// <summary>Lets the week go by, through a gateway that is gone when this returns.</summary>
    public static async Task<ScriptedWeek> LiveAsync(int questionsAStep)
    {
        var week = new ScriptedWeek();
        week._model = await FakeEndpoint.StartAsync(week.AnswerAsync);
        var random = new StreamRandom(StreamKey.Root(7).Child("week"));
        await using var gateway = await Gateway.OverAsync(week._model, WithKeys, week._store, week._clock);
        for (var step = 0; step < 55; step++)
        {
            for (var i = 0; i < questionsAStep; i++)
                await gateway.CompleteAsync(Gateway.Ask(Question(random), "m"), TenantKey);
            week._clock.Advance(TimeSpan.FromHours(3));
        }
        return week;
    }

    /// <summary>The gateway after it was started again, now.</summary>
    public Task<Gateway> StartAgainAsync() => Gateway.OverAsync(_model, WithKeys, _store);

    public async ValueTask DisposeAsync()
    {
        await _model.DisposeAsync();
        await _store.DisposeAsync();
    }

    private static GatewayOptions WithKeys(GatewayOptions options) => options with
    {
        Tenants = [new() { Name = "support", Keys = [ApiKey.HashOf(TenantKey)] }, new() { Name = "research", Keys = [ApiKey.HashOf("sk-research")] }],
        AdminKey = ApiKey.HashOf(AdminKey),
        ControlShare = 0.25,
        Upstreams = [options.Upstreams[0] with { Models = ["m"] }],
    };

    private static string Question(StreamRandom random)
    {
        string[] things = ["parcels", "letters", "crates", "pallets"];
        var kind = random.Next(4);
        var size = random.NextDouble() < 0.15 ? 10 + random.Next(900) : 2 + random.Next(3);
        return string.Create(CultureInfo.InvariantCulture, $"Tariff {kind + 1}: what do {size} {things[kind]} cost at 3 each?");
    }

    private Task AnswerAsync(FakeRequest request, HttpContext http)
    {
        var prompt = string.Concat(request.Body["messages"]!.AsArray().Select(m => m!["content"]!.ToString()));
        var text = FakeModel.IsJudging(request) ? "SCORE: 9" : $"{Worked}\nAnswer: {Cost(prompt)}";
        var (input, output) = (prompt.Length / 4, text.Length / 4);
        // a model of middling speed, at some times busier than at others
        _clock.Advance(TimeSpan.FromMilliseconds(150 + input + (10 + _clock.GetUtcNow().Hour) * output));
        var usage = string.Create(CultureInfo.InvariantCulture, $$"""{"prompt_tokens":{{input}},"completion_tokens":{{output}},"total_tokens":{{input + output}}}""");
        return http.AnswerAsync(200, FakeAnswers.Completion(text, usage: usage));
    }

    private static int Cost(string prompt)
    {
        var from = prompt.LastIndexOf("what do ", StringComparison.Ordinal);
        return from < 0 ? 42 : 3 * int.Parse(prompt[(from + 8)..].Split(' ')[0], CultureInfo.InvariantCulture);
    }
}
