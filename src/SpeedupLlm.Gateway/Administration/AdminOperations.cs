using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;
using SpeedupLlm.Compute;
using SpeedupLlm.Experience;
using SpeedupLlm.Gateway.Completions;
using SpeedupLlm.Gateway.Errors;
using SpeedupLlm.Gateway.History;
using SpeedupLlm.Gateway.Requests;
using SpeedupLlm.Gateway.Tenants;

namespace SpeedupLlm.Gateway.Administration;

/// <summary>What lies under <c>/v1/speedup</c>: feedback for tenants; modes, savings and memories for whoever has the admin key.</summary>
internal sealed class AdminOperations(MemoryAdministration memory, ExperiencedModels models, GatewaySwitch mode, UsageHistory history, Access access, AuditLog audit, TimeProvider clock)
{
    private const int MostListed = 1000;
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    /// <summary><c>POST /v1/speedup/feedback</c> <c>{"episode":"…","verdict":"right"|"wrong"}</c> or <c>{"episode":"…","answer":"…"}</c>: a tenant says whether an answer of its own was right, or what would have been.</summary>
    public async Task FeedbackAsync(HttpContext http)
    {
        var body = await ReadAsync(http);
        var tenant = Requester.Of(http).Tenant!.Name;
        var id = Text(body, "episode");
        var feedback = FeedbackOf(body);
        if (!await models.HearAsync(tenant, id, feedback, http.RequestAborted))
            throw NoEpisode(id);
        await WriteAsync(http, Heard(id, feedback));
    }

    /// <summary><c>GET</c> and <c>PUT /v1/speedup/mode</c> <c>{"mode":"off"}</c>: one call turns everything off on all replicas, or on again.</summary>
    public async Task ModeAsync(HttpContext http)
    {
        if (HttpMethods.IsPut(http.Request.Method))
        {
            if (!await mode.SetAsync(Text(await ReadAsync(http), "mode"), "admin", http.RequestAborted))
                throw new ApiErrorException(ApiError.Invalid("“mode” is none of off, observe, canary, on.", "mode"));
        }
        await WriteAsync(http, new() { ["mode"] = mode.Mode.ToString().ToLowerInvariant() });
    }

    /// <summary><c>GET /v1/speedup/savings?tenant=&amp;since=</c>: what experience saves each tenant, or one, beside one plain call, over all replicas and restarts; null where it is not known.</summary>
    public async Task SavingsAsync(HttpContext http)
    {
        var since = Since(http);
        var tenants = new JsonArray();
        foreach (var tenant in http.Request.Query["tenant"].ToString().Length > 0 ? [Tenant(http)] : access.Tenants)
        {
            var savings = (await history.SumAsync(tenant, since, http.RequestAborted)).Read(tenant);
            tenants.Add(JsonSerializer.SerializeToNode(savings, AdminJson.Default.TenantSavings));
        }
        await WriteAsync(http, new() { ["since"] = since, ["tenants"] = tenants });
    }

    /// <summary><c>GET /v1/speedup/memory?tenant=&amp;user=&amp;q=&amp;limit=</c>: episodes, newest first.</summary>
    public async Task ListAsync(HttpContext http)
    {
        var limit = int.TryParse(http.Request.Query["limit"], NumberStyles.None, CultureInfo.InvariantCulture, out var asked) ? Math.Clamp(asked, 1, MostListed) : 50;
        var found = new JsonArray();
        await foreach (var episode in memory.FindAsync(Tenant(http), User(http), http.Request.Query["q"].ToString(), http.RequestAborted))
        {
            found.Add(Describe(episode));
            if (found.Count == limit)
                break;
        }
        await WriteAsync(http, new() { ["episodes"] = found });
    }

    /// <summary><c>GET /v1/speedup/memory/{id}?tenant=</c>: one episode.</summary>
    public async Task ShowAsync(HttpContext http) =>
        await WriteAsync(http, Describe(await memory.GetAsync(Tenant(http), Id(http), http.RequestAborted) ?? throw NoEpisode(Id(http))));

    /// <summary><c>DELETE /v1/speedup/memory/{id}?tenant=</c>: forgets an episode and all that was made from it.</summary>
    public async Task ForgetAsync(HttpContext http)
    {
        var gone = await memory.ForgetAsync(Tenant(http), Id(http), "admin", http.RequestAborted);
        await WriteAsync(http, gone == 0 ? throw NoEpisode(Id(http)) : new() { ["forgotten"] = gone });
    }

    /// <summary><c>POST /v1/speedup/memory/{id}/mark?tenant=</c> <c>{"verdict":"right"|"wrong"}</c>.</summary>
    public async Task MarkAsync(HttpContext http)
    {
        var body = await ReadAsync(http);
        var (tenant, feedback) = (Tenant(http), FeedbackOf(body));
        if (!await memory.MarkAsync(tenant, Id(http), feedback, "admin", http.RequestAborted))
            throw NoEpisode(Id(http));
        await WriteAsync(http, Heard(Id(http), feedback));
    }

    /// <summary><c>GET /v1/speedup/user?tenant=&amp;user=</c>: everything that is remembered of a user, a JSON line an episode.</summary>
    public async Task ExportAsync(HttpContext http)
    {
        var (tenant, user) = (Tenant(http), User(http) ?? throw Missing("user"));
        http.Response.ContentType = "application/jsonl";
        var records = 0;
        await foreach (var episode in memory.FindAsync(tenant, user, "", http.RequestAborted))
        {
            await http.Response.WriteAsync(Describe(episode).ToJsonString() + "\n", http.RequestAborted);
            records++;
        }
        audit.Write("export", "admin", tenant, user, records);
    }

    /// <summary><c>DELETE /v1/speedup/user?tenant=&amp;user=</c>: forgets a user, with all lessons and adapters made from the user's episodes.</summary>
    public async Task EraseAsync(HttpContext http) =>
        await WriteAsync(http, new() { ["forgotten"] = await memory.EraseAsync(Tenant(http), User(http) ?? throw Missing("user"), "admin", http.RequestAborted) });

    private static JsonObject Describe(Episode episode) => new()
    {
        ["id"] = episode.Id,
        ["user"] = episode.Scope.User,
        ["conversation"] = episode.Scope.Conversation,
        ["model"] = episode.Scope.ModelFingerprint,
        ["at"] = episode.At,
        ["question"] = episode.Question,
        ["answer"] = episode.Answer,
        ["final"] = episode.Final,
        ["verdict"] = episode.Verdict.ToString().ToLowerInvariant(),
        ["score"] = episode.Score,
        ["usable"] = episode.Usable,
        ["suspicion"] = episode.Suspicion,
        ["helped"] = episode.Helped,
        ["harmed"] = episode.Harmed,
        ["fullCost"] = episode.FullCost,
    };

    /// <summary>The tenant that the query names; it may be left out where there is only one.</summary>
    private string Tenant(HttpContext http)
    {
        var named = http.Request.Query["tenant"].ToString();
        var tenants = access.Tenants.ToList();
        if (named.Length == 0 && tenants.Count == 1)
            return tenants[0];
        return tenants.Contains(named, StringComparer.Ordinal) ? named : throw new ApiErrorException(ApiError.NotFound($"There is no tenant “{named}”."));
    }

    /// <summary>The hour that the query's moment lies in; without one, or before the account begins, the first that is kept.</summary>
    private DateTimeOffset Since(HttpContext http)
    {
        var kept = UsageHour.HourOf(clock.GetUtcNow()) - TimeSpan.FromDays(UsageStore.Days - 1);
        var named = http.Request.Query["since"].ToString();
        if (named.Length == 0)
            return kept;
        var since = DateTimeOffset.TryParse(named, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var moment)
            ? UsageHour.HourOf(moment)
            : throw new ApiErrorException(ApiError.Invalid("“since” is no moment such as 2026-01-31T08:00:00Z.", "since"));
        return since > kept ? since : kept;
    }

    private static string? User(HttpContext http) => http.Request.Query["user"].ToString() is { Length: > 0 } user ? user : null;

    private static string Id(HttpContext http) => (string)http.Request.RouteValues["id"]!;

    private static Feedback FeedbackOf(JsonObject body) => body.ContainsKey("answer") ? AnswerOf(body) : Text(body, "verdict") switch
    {
        "right" or "good" => Feedback.Right,
        "wrong" or "bad" => Feedback.Wrong,
        _ => throw new ApiErrorException(ApiError.Invalid("“verdict” is neither right nor wrong.", "verdict")),
    };

    private static Feedback AnswerOf(JsonObject body)
    {
        if (body.ContainsKey("verdict"))
            throw new ApiErrorException(ApiError.Invalid("“answer” is what would have been right: it stands in the place of “verdict”.", "answer"));
        var answer = Text(body, "answer");
        return string.IsNullOrWhiteSpace(answer) ? throw Missing("answer") : Feedback.Reference(answer);
    }

    private static JsonObject Heard(string episode, Feedback feedback) => new() { ["episode"] = episode, ["verdict"] = MemoryAdministration.VerdictOf(feedback) };

    private static string Text(JsonObject body, string name)
    {
        try
        {
            return body[name] is JsonValue value && value.TryGetValue<string>(out var text) && text.Length > 0 ? text : throw Missing(name);
        }
        catch (InvalidOperationException)
        {
            throw new ApiErrorException(ApiError.HalfACharacter(name));
        }
    }

    private static async ValueTask<JsonObject> ReadAsync(HttpContext http)
    {
        try
        {
            return (await JsonNode.ParseAsync(new CallersBody(http.Request), null, Strict, http.RequestAborted)) as JsonObject ?? throw new JsonException();
        }
        catch (Exception e) when (e is JsonException or ArgumentException or InvalidOperationException)
        {
            throw new ApiErrorException(ApiError.Invalid("The request is not a JSON object.", code: "invalid_json"));
        }
    }

    private static Task WriteAsync(HttpContext http, JsonObject body)
    {
        http.Response.ContentType = "application/json";
        return http.Response.WriteAsync(body.ToJsonString(), http.RequestAborted);
    }

    private static ApiErrorException Missing(string name) => new(ApiError.Invalid($"“{name}” is missing.", name));

    private static ApiErrorException NoEpisode(string id) => new(ApiError.NotFound($"There is no episode {id}."));
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(TenantSavings))]
internal sealed partial class AdminJson : JsonSerializerContext
{
}
