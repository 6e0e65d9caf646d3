using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using SpeedupLlm.Gateway.Configuration;
using SpeedupLlm.Gateway.Errors;
using SpeedupLlm.Gateway.Forwarding;
using SpeedupLlm.Gateway.Requests;
using SpeedupLlm.Gateway.Telemetry;

namespace SpeedupLlm.Gateway;

/// <summary>Everything under <c>/v1</c> but chat completions: the list of models, and what is forwarded as it is.</summary>
internal sealed class OtherOperations(GatewayOptions options, GatewayParts parts, UpstreamTable upstreams, Forwarder forwarder)
{
    private const string Root = "/v1";

    /// <summary><c>GET /v1/models</c>: what the configuration lists; an upstream that serves every name is asked itself if it is the only one.</summary>
    public Task ModelsAsync(HttpContext http)
    {
        if (upstreams.All.Count == 1 && upstreams.All[0].Options.Models.Count == 0)
            return ForwardAsync(http);
        var models = options.Upstreams.SelectMany(u => u.Models.Select(m => (Model: m, Owner: u.Name))).DistinctBy(m => m.Model).ToList();
        if (upstreams.All.Count == 0 && parts.Embedded is { } embedded)
            models.Add((embedded.Name, "speedup"));
        var list = new JsonObject
        {
            ["object"] = "list",
            ["data"] = new JsonArray([.. models.Select(m => new JsonObject { ["id"] = m.Model, ["object"] = "model", ["created"] = 0, ["owned_by"] = m.Owner })]),
        };
        http.Response.ContentType = "application/json";
        return http.Response.WriteAsync(list.ToJsonString(), http.RequestAborted);
    }

    /// <summary>Forwards an operation. JSON is read for the model's name, since that decides who is asked; anything else goes to the first upstream as it comes.</summary>
    public async Task ForwardAsync(HttpContext http)
    {
        if (upstreams.All.Count == 0)
            throw new ApiErrorException(ApiError.NotFound($"There is nothing at {http.Request.Path}: the embedded reasoner only chats."));
        // these are meant for the proxy itself, not for what is behind it
        if (HttpMethods.IsConnect(http.Request.Method) || HttpMethods.IsTrace(http.Request.Method))
            throw new ApiErrorException(new(StatusCodes.Status405MethodNotAllowed, $"{http.Request.Method} is not forwarded.", "invalid_request_error", "method_not_allowed"));
        var path = http.Request.Path.Value!;
        if (path.Contains("..", StringComparison.Ordinal))
            throw new ApiErrorException(ApiError.NotFound("There is nothing at that path."));
        RequestTelemetry.Of(http).Way = RequestTelemetry.Forwarded;
        var operation = new PathString(path[Root.Length..]).ToUriComponent() + http.Request.QueryString.ToUriComponent();
        if (!HttpMethods.IsPost(http.Request.Method) || !http.Request.HasJsonContentType())
        {
            ReadOnlyMemory<byte>? nothing = ReadOnlyMemory<byte>.Empty;
            var hasBody = http.Request.ContentLength is > 0 || http.Request.Headers.TransferEncoding.Count > 0;
            await forwarder.ForwardAsync(http, operation, [upstreams.All[0]], hasBody ? null : nothing);
            return;
        }
        using var body = await RequestBody.ReadAsync(http.Request, options.Limits.RequestBytes, http.RequestAborted);
        var head = RequestHead.Read(body.Bytes.Span);
        var serving = upstreams.Serving(head.Model);
        if (serving.Count == 0)
            throw new ApiErrorException(ApiError.NoModel(head.Model!));
        await forwarder.ForwardAsync(http, operation, serving, head.Forwarded(body.Bytes, head.Model!));
    }
}
