using Microsoft.Extensions.Logging;

namespace SpeedupLlm.Gateway.Telemetry;

/// <summary>A line for each request that ended, at level Information. Never a question, an answer or a key.</summary>
internal sealed partial class RequestLog(ILogger<RequestLog> logger)
{
    [LoggerMessage(3, LogLevel.Information, "{Operation} of {Tenant}: {Way}, {Model}, {Status}")]
    public partial void Ended(string operation, string? tenant, string way, string model, int status);
}
