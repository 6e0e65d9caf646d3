using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using SpeedupLlm.Compute;
using SpeedupLlm.Gateway.Administration;
using SpeedupLlm.Gateway.Completions;
using SpeedupLlm.Gateway.Configuration;
using SpeedupLlm.Gateway.Dashboard;
using SpeedupLlm.Gateway.Errors;
using SpeedupLlm.Gateway.Forwarding;
using SpeedupLlm.Gateway.History;
using SpeedupLlm.Gateway.Requests;
using SpeedupLlm.Gateway.Telemetry;
using SpeedupLlm.Gateway.Tenants;

namespace SpeedupLlm.Gateway;

/// <summary>A server that speaks OpenAI's API and makes answers cheaper with experience. Thread-safe.</summary>
public sealed class GatewayServer : IAsyncDisposable
{
    private readonly WebApplication _application;

    private GatewayServer(WebApplication application) => _application = application;

    /// <summary>Where it listens.</summary>
    public IReadOnlyList<Uri> Addresses => [.. _application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Select(a => new Uri(a))];

    /// <summary>Starts a server.</summary>
    /// <param name="options">How it works.</param>
    /// <param name="parts">What it is put together from.</param>
    /// <param name="cancellationToken">Cancels starting.</param>
    /// <exception cref="InvalidDataException">The options are not valid, or a key is not in the environment.</exception>
    /// <exception cref="IOException">An address is taken.</exception>
    public static async Task<GatewayServer> StartAsync(GatewayOptions options, GatewayParts parts, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(parts);
        options.Validate();
        var application = Build(options, parts);
        try
        {
            await application.StartAsync(cancellationToken);
            return new(application);
        }
        catch
        {
            await application.DisposeAsync();
            throw;
        }
    }

    /// <summary>Takes nothing new, and waits until what runs has ended or the time for it is over.</summary>
    public Task StopAsync(CancellationToken cancellationToken) => _application.StopAsync(cancellationToken);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _application.StopAsync(CancellationToken.None);
        await _application.DisposeAsync();
    }

    private static WebApplication Build(GatewayOptions options, GatewayParts parts)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            // headers pass byte for byte, whatever they are written in; our own are UTF-8
            kestrel.RequestHeaderEncodingSelector = static name => name.StartsWith(Treatment.HeaderPrefix, StringComparison.OrdinalIgnoreCase) ? Encoding.UTF8 : Encoding.Latin1;
            kestrel.ResponseHeaderEncodingSelector = static _ => Encoding.Latin1;
            kestrel.Limits.MaxRequestBodySize = options.Limits.RequestBytes;
        });
        builder.WebHost.UseUrls([.. options.Urls]);
        builder.Logging.AddJsonConsole(console =>
        {
            console.UseUtcTimestamp = true;
            console.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";
        });
        builder.Logging.SetMinimumLevel(options.LogLevel);
        // it logs nothing that the request log does not, and while it could, every request gets a span and a scope of its own
        builder.Logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);
        builder.Services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(options.Limits.ShutdownSeconds));
        builder.Services.AddRoutingCore();
        AddParts(builder.Services, options, parts);
        var application = builder.Build();
        Map(application);
        return application;
    }

    private static void AddParts(IServiceCollection services, GatewayOptions options, GatewayParts parts)
    {
        services.AddSingleton(options);
        services.AddSingleton(parts);
        services.AddSingleton(parts.Clock);
        // made now, so that a key that is missing, or a log that cannot be written, keeps the server from starting
        var (upstreams, audit) = (new UpstreamTable(options, parts), new AuditLog(options.AuditLog, parts.Clock));
        services.AddSingleton(_ => upstreams);
        services.AddSingleton(_ => audit);
        services.AddSingleton<GatewaySwitch>();
        services.AddHostedService(s => s.GetRequiredService<GatewaySwitch>());
        services.AddSingleton(new UsageStore(parts.Store, parts.Clock));
        services.AddSingleton<UsageHistory>();
        services.AddHostedService<UsageKeeper>();
        services.AddSingleton(s => new Savings(s.GetRequiredService<UsageHistory>().Booked));
        services.AddSingleton<GatewayMetrics>();
        services.AddSingleton<Observability>();
        services.AddSingleton<RequestLog>();
        services.AddSingleton<MemoryAdministration>();
        services.AddSingleton<AdminOperations>();
        services.AddHostedService<Retention>();
        services.AddDashboard(options);
        services.AddSingleton<Access>();
        services.AddHostedService<AccountKeeper>();
        services.AddSingleton<Forwarder>();
        services.AddSingleton<ExperiencedModels>();
        services.AddSingleton<ErrorExplanation>();
        services.AddSingleton(s => new CompletionWriter(s.GetRequiredService<ErrorExplanation>(), parts.Clock, TimeSpan.FromSeconds(options.Limits.KeepAliveSeconds)));
        services.AddSingleton<ChatCompletions>();
        services.AddSingleton<OtherOperations>();
        services.AddSingleton<Health>();
    }

    private static void Map(WebApplication application)
    {
        var services = application.Services;
        var (chat, others, admin) = (services.GetRequiredService<ChatCompletions>(), services.GetRequiredService<OtherOperations>(), services.GetRequiredService<AdminOperations>());
        application.UseMiddleware<ErrorBoundary>();
        application.UseRouting();
        application.MapGet("/healthz", services.GetRequiredService<Health>().AliveAsync);
        application.MapGet("/readyz", services.GetRequiredService<Health>().ReadyAsync);
        application.MapPost("/v1/chat/completions", Admitted(services, "chat", chat.HandleAsync));
        application.MapGet("/v1/models", Admitted(services, "models", others.ModelsAsync));
        application.MapPost("/v1/speedup/feedback", Admitted(services, "feedback", admin.FeedbackAsync));
        MapAdministration(application, admin);
        application.MapDashboard();
        application.Map("/v1/{**path}", Admitted(services, "forward", others.ForwardAsync));
        application.MapFallback(http => throw new ApiErrorException(ApiError.NotFound($"There is nothing at {http.Request.Path}.")));
    }

    private static void MapAdministration(WebApplication application, AdminOperations admin)
    {
        var services = application.Services;
        var observability = services.GetRequiredService<Observability>();
        application.MapGet("/metrics", ForAdmin(services, http =>
        {
            http.Response.ContentType = PrometheusText.ContentType;
            return http.Response.WriteAsync(observability.Collect(), http.RequestAborted);
        }));
        application.MapMethods("/v1/speedup/mode", ["GET", "PUT"], ForAdmin(services, admin.ModeAsync));
        application.MapGet("/v1/speedup/savings", ForAdmin(services, admin.SavingsAsync));
        application.MapGet("/v1/speedup/memory", ForAdmin(services, admin.ListAsync));
        application.MapGet("/v1/speedup/memory/{id}", ForAdmin(services, admin.ShowAsync));
        application.MapDelete("/v1/speedup/memory/{id}", ForAdmin(services, admin.ForgetAsync));
        application.MapPost("/v1/speedup/memory/{id}/mark", ForAdmin(services, admin.MarkAsync));
        application.MapGet("/v1/speedup/user", ForAdmin(services, admin.ExportAsync));
        application.MapDelete("/v1/speedup/user", ForAdmin(services, admin.EraseAsync));
        // nothing of ours is ever asked of an upstream
        application.Map("/v1/speedup/{**path}", http => throw new ApiErrorException(ApiError.NotFound($"There is nothing at {http.Request.Path}.")));
    }

    private static RequestDelegate ForAdmin(IServiceProvider services, RequestDelegate operation)
    {
        var access = services.GetRequiredService<Access>();
        return http => access.Authenticate(http).IsAdmin
            ? operation(http)
            : throw new ApiErrorException(new(StatusCodes.Status403Forbidden, "That needs the admin key.", "permission_error", "admin_key"));
    }

    /// <summary>A tenant's operation: the key first, then a place among those that run.</summary>
    private static RequestDelegate Admitted(IServiceProvider services, string name, RequestDelegate operation)
    {
        var (access, metrics, clock) = (services.GetRequiredService<Access>(), services.GetRequiredService<GatewayMetrics>(), services.GetRequiredService<TimeProvider>());
        var (explanation, log, history) = (services.GetRequiredService<ErrorExplanation>(), services.GetRequiredService<RequestLog>(), services.GetRequiredService<UsageHistory>());
        return async http =>
        {
            using var telemetry = metrics.Begin(name, clock);
            http.Features.Set(telemetry);
            try
            {
                var requester = access.Authenticate(http);
                if (requester.Tenant is null)
                    throw new ApiErrorException(new(StatusCodes.Status403Forbidden, "The admin key is for administration only.", "permission_error", "admin_key"));
                http.Features.Set(requester);
                await requester.Tenant.EnterAsync(http.RequestAborted);
                using var place = await access.EnterAsync(http.RequestAborted);
                await operation(http);
                telemetry.Status = http.Response.StatusCode;
                if (telemetry is { Way: RequestTelemetry.Refused, Status: < 400 })
                    telemetry.Way = RequestTelemetry.Answered;
            }
            catch (Exception e)
            {
                telemetry.Status = http.RequestAborted.IsCancellationRequested ? ErrorBoundary.ClientClosedRequest : explanation.Of(e).Status;
                throw;
            }
            finally
            {
                var tenant = http.Features.Get<Requester>()?.Tenant?.Name;
                log.Ended(name, tenant, telemetry.Way, telemetry.Model, telemetry.Status);
                if (tenant is not null)
                    history.Ended(tenant, telemetry);
            }
        };
    }
}
