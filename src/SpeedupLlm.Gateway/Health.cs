using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using SpeedupLlm.Gateway.Forwarding;

namespace SpeedupLlm.Gateway;

/// <summary>Whether the gateway lives, and whether it can answer.</summary>
internal sealed class Health(GatewayParts parts, UpstreamTable upstreams, GatewaySwitch mode)
{
    /// <summary><c>GET /healthz</c>: the process answers. Memory that is degraded is told, and is no reason to be restarted (case 30).</summary>
    public async Task AliveAsync(HttpContext http)
    {
        string? degraded;
        try
        {
            degraded = (await parts.Store.CheckAsync(http.RequestAborted)).Degraded;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            degraded = e.Message;
        }
        await WriteAsync(http, StatusCodes.Status200OK, degraded is null ? "ok" : "degraded", degraded);
    }

    /// <summary><c>GET /readyz</c>: somebody is there to be asked.</summary>
    public Task ReadyAsync(HttpContext http)
    {
        var ready = upstreams.All.Count == 0 || upstreams.All.Any(u => u.IsOpenForRequests);
        return WriteAsync(http, ready ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable, ready ? "ready" : "no upstream answers", null);
    }

    private Task WriteAsync(HttpContext http, int status, string says, string? memory)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json";
        var body = new JsonObject { ["status"] = says, ["mode"] = mode.Mode.ToString().ToLowerInvariant() };
        if (memory is not null)
            body["memory"] = memory;
        return http.Response.WriteAsync(body.ToJsonString(), http.RequestAborted);
    }
}
