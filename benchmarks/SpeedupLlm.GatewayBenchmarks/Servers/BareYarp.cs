using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Yarp.ReverseProxy.Configuration;

namespace SpeedupLlm.GatewayBenchmarks.Servers;

/// <summary>YARP with one route and one destination, and nothing else.</summary>
internal static class BareYarp
{
    public const string Role = "yarp";

    public static async Task RunAsync(string upstream)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0));
        builder.Services.AddRouting();
        builder.Services.AddReverseProxy().LoadFromMemory(
            [new RouteConfig { RouteId = "all", ClusterId = "upstream", Match = new() { Path = "/{**path}" } }],
            [new ClusterConfig { ClusterId = "upstream", Destinations = new Dictionary<string, DestinationConfig>(StringComparer.Ordinal) { ["one"] = new() { Address = upstream } } }]);
        await using var server = builder.Build();
        server.UseRouting();
        server.MapReverseProxy();
        await server.StartAsync(CancellationToken.None);
        Console.WriteLine(server.Urls.Single());
        await server.WaitForShutdownAsync(CancellationToken.None);
    }
}
