using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.AI;
using SpeedupLlm.Compute;
using SpeedupLlm.Conversations;
using SpeedupLlm.Gateway.Configuration;
using SpeedupLlm.Gateway.Errors;
using SpeedupLlm.Gateway.Forwarding;
using SpeedupLlm.Gateway.Requests;
using SpeedupLlm.Gateway.Telemetry;
using SpeedupLlm.Gateway.Tenants;

namespace SpeedupLlm.Gateway.Completions;

/// <summary><c>POST /v1/chat/completions</c>: forwards, or answers by search and memory.</summary>
internal sealed class ChatCompletions(
    GatewayOptions options, GatewayParts parts, GatewaySwitch mode, UpstreamTable upstreams, Forwarder forwarder, ExperiencedModels models, Savings savings, CompletionWriter writer)
{
    private static readonly ConversationReader Reader = new();

    public async Task HandleAsync(HttpContext http)
    {
        using var body = await RequestBody.ReadAsync(http.Request, options.Limits.RequestBytes, http.RequestAborted);
        var head = RequestHead.Read(body.Bytes.Span);
        var treatment = Treatment.Choose(head.Model ?? "", upstreams.Lists, head.Speedup(body.Bytes), http.Request.Headers, options);
        if (string.IsNullOrWhiteSpace(treatment.Model))
            throw new ApiErrorException(ApiError.Invalid("“model” is missing.", "model"));
        var asked = new Asked(http, body, head, treatment, upstreams.Serving(treatment.Model));
        if (asked.Serving.Count == 0 && parts.Embedded is null)
            throw new ApiErrorException(ApiError.NoModel(treatment.Model));
        if (asked.Serving.Count == 0 || upstreams.Lists(treatment.Model))
            asked.Telemetry.Model = asked.Serving.Count == 0 ? parts.Embedded!.Name : treatment.Model;
        if (asked.Serving.Count == 0)
            await AnswerEmbeddedAsync(asked);
        else if (mode.Mode == ExperienceMode.Off || treatment.Options.IsOff)
            await ForwardAsync(asked, null, null);
        else
            await AnswerUpstreamAsync(asked);
    }

    /// <summary>A request with all that was found out about it.</summary>
    private sealed record Asked(HttpContext Http, RequestBody Body, RequestHead Head, Treatment Treatment, IReadOnlyList<Upstream> Serving)
    {
        public RequestTelemetry Telemetry { get; } = RequestTelemetry.Of(Http);

        public Requester Requester { get; } = Requester.Of(Http);
    }

    private Task AnswerEmbeddedAsync(Asked asked)
    {
        var request = ChatRequest.Read(asked.Body.Bytes);
        if (request.Untreatable is { } why)
            throw new ApiErrorException(ApiError.Invalid($"The embedded reasoner does not understand {why}.", "messages"));
        if (request.Options.AdditionalProperties?.ContainsKey("n") == true && !request.AsksForOne)
            throw new ApiErrorException(ApiError.Invalid("The embedded reasoner gives one answer: “n” is 1.", "n"));
        var isOff = asked.Treatment.Options.IsOff;
        var client = isOff ? parts.Embedded!.Client : models.Of([], "", asked.Treatment.Options, asked.Treatment.Asked).For(RequestOf(asked));
        return AnswerAsync(asked, request, client, parts.Embedded!.Name, isOff ? "off" : null, null);
    }

    private async Task AnswerUpstreamAsync(Asked asked)
    {
        var request = ChatRequest.Read(asked.Body.Bytes);
        if (request.Untreatable is { } why)
        {
            savings.AddBypass(asked.Requester.Tenant!.Name, why);
            await ForwardAsync(asked, why, null);
            return;
        }
        request.Options.ModelId = asked.Treatment.Model;
        var call = new ForwardedCall(heard => ForwardAsync(asked, Reader.BypassOf(request.Messages, request.Options), heard), () => asked.Http.Response.StatusCode);
        call.AddTo(request.Options);
        var client = models.Of(asked.Serving, asked.Treatment.Model, asked.Treatment.Options, asked.Treatment.Asked).For(RequestOf(asked));
        try
        {
            await AnswerAsync(asked, request, client, asked.Treatment.Model, null, call);
        }
        catch (ForwardedFailureException)
        {
            // the caller has the upstream's own error
        }
    }

    private Task<bool> ForwardAsync(Asked asked, string? why, Action<ReadOnlyMemory<byte>>? heard)
    {
        var http = asked.Http;
        asked.Telemetry.Way = RequestTelemetry.Forwarded;
        return forwarder.ForwardAsync(http, "/chat/completions" + http.Request.QueryString, asked.Serving, asked.Head.Forwarded(asked.Body.Bytes, asked.Treatment.Model), new()
        {
            Heard = heard,
            Bypass = why,
            IsCompletion = true,
        });
    }

    private async Task AnswerAsync(Asked asked, ChatRequest request, IChatClient client, string model, string? bypass, ForwardedCall? call)
    {
        var http = asked.Http;
        // observing has a budget of its own, and must not keep anybody from an answer
        if (mode.Mode != ExperienceMode.Observe || asked.Treatment.Asked)
            await asked.Requester.Tenant!.CheckBudgetAsync(http.RequestAborted);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted);
        deadline.CancelAfter(TimeSpan.FromSeconds(options.Limits.RequestSeconds));
        var name = new CompletionName("chatcmpl-" + Guid.NewGuid().ToString("N"), parts.Clock.GetUtcNow().ToUnixTimeSeconds(), model);
        var pieces = PiecesAsync(client, request, asked.Treatment, bypass, deadline.Token);
        bool IsForwarded() => call is { IsUnderWay: true };
        asked.Telemetry.Way = RequestTelemetry.Treated;
        var account = request.Stream
            ? await writer.WriteStreamAsync(http, name, pieces, request.IncludeUsage, IsForwarded, deadline.Token)
            : await CompletionWriter.WriteWholeAsync(http, name, pieces, IsForwarded, deadline.Token);
        if (account is not null)
            asked.Telemetry.Spent = account.ToSpent();
    }

    /// <summary>The text as it comes, and the account at its end.</summary>
    private static async IAsyncEnumerable<AnswerPiece> PiecesAsync(
        IChatClient client, ChatRequest request, Treatment treatment, string? bypass, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ChatResponse response;
        ExperienceReport? report = null;
        if (request.Stream)
        {
            var updates = new List<ChatResponseUpdate>();
            await foreach (var update in client.GetStreamingResponseAsync(request.Messages, request.Options, cancellationToken))
            {
                updates.Add(update);
                report ??= ExperienceReport.Of(update.AdditionalProperties);
                if (update.Text.Length > 0)
                    yield return new(update.Text, null);
            }
            response = updates.ToChatResponse();
        }
        else
        {
            response = await client.GetResponseAsync(request.Messages, request.Options, cancellationToken);
            report = ExperienceReport.Of(response.AdditionalProperties);
            yield return new(response.Text, null);
        }
        yield return new("", new(response.Usage, response.FinishReason?.Value ?? "stop", report, treatment, bypass));
    }

    private static SolveRequest RequestOf(Asked asked) => new() { Caller = asked.Requester.CallerOf(asked.Head, asked.Treatment) };
}
