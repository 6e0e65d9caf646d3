using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace SpeedupLlm.Gateway.Errors;

/// <summary>The outermost step: whatever fails becomes one error in OpenAI's shape, with the right status.</summary>
internal sealed partial class ErrorBoundary(RequestDelegate next, ErrorExplanation explanation, ILogger<ErrorBoundary> logger)
{
    /// <summary>The caller went away before the answer.</summary>
    public const int ClientClosedRequest = 499;

    public async Task InvokeAsync(HttpContext http)
    {
        try
        {
            await next(http);
        }
        catch (Exception) when (http.RequestAborted.IsCancellationRequested)
        {
            // nobody is there to hear it; the status is for the log
            if (!http.Response.HasStarted)
                http.Response.StatusCode = ClientClosedRequest;
        }
        catch (Exception e)
        {
            var error = explanation.Of(e);
            if (error.Status == StatusCodes.Status500InternalServerError)
                Failed(e, http.Request.Method, http.Request.Path);
            if (http.Response.HasStarted)
                http.Abort();
            else
                await error.WriteAsync(http.Response, http.RequestAborted);
        }
    }

    [LoggerMessage(1, LogLevel.Error, "{Method} {Path} failed")]
    private partial void Failed(Exception exception, string method, PathString path);
}
