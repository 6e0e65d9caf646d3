using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using SpeedupLlm.Gateway.Configuration;

namespace SpeedupLlm.Gateway.Dashboard;

/// <summary>Puts the dashboard into the server.</summary>
internal static class DashboardEndpoints
{
    /// <summary>What the dashboard is made of.</summary>
    public static void AddDashboard(this IServiceCollection services, GatewayOptions options)
    {
        services.AddAntiforgery(form =>
        {
            form.Cookie.Name = "speedup-form";
            form.Cookie.SameSite = SameSiteMode.Strict;
            form.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        });
        services.AddAuthentication(SignIn.Scheme).AddCookie(session =>
        {
            session.Cookie.Name = "speedup-session";
            session.Cookie.HttpOnly = true;
            session.Cookie.SameSite = SameSiteMode.Strict;
            session.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
            session.ExpireTimeSpan = Sessions.Lifetime;
            session.SlidingExpiration = true;
        });
        // every replica reads the cookies and forms of the others; nothing is written to disk
        services.Replace(ServiceDescriptor.Singleton<IDataProtectionProvider>(ReplicaProtector.Of(options.AdminKey)));
        services.AddSingleton<Sessions>();
        services.AddSingleton<IConfigureOptions<CookieAuthenticationOptions>>(s => new ConfigureNamedOptions<CookieAuthenticationOptions>(SignIn.Scheme, session => session.SessionStore = s.GetRequiredService<Sessions>()));
        services.AddSingleton<SignIn>();
        services.AddSingleton<PageRenderer>();
        services.AddSingleton<ViewReader>();
        services.AddSingleton<LiveStream>();
        services.AddSingleton<DashboardPages>();
    }

    /// <summary>Where it is.</summary>
    public static void MapDashboard(this WebApplication application)
    {
        var pages = application.Services.GetRequiredService<DashboardPages>();
        foreach (var asset in new[] { Asset.Style, Asset.Script, Asset.Icon })
            application.MapGet(asset.Place, asset.WriteAsync);
        application.MapGet("/", pages.Show(pages.OverviewAsync));
        application.MapGet("/dashboard/memory", pages.Show(pages.MemoryAsync));
        application.MapGet("/dashboard/memory/{id}", pages.Show(pages.EpisodeAsync));
        application.MapGet("/dashboard/live", pages.Show(pages.LiveAsync));
        application.MapPost("/dashboard/sign-in", pages.SignInAsync);
        application.MapPost("/dashboard/sign-out", pages.Change(pages.SignOutAsync));
        application.MapPost("/dashboard/mode", pages.Change(pages.ModeAsync));
        application.MapPost("/dashboard/memory/{id}/forget", pages.Change(pages.ForgetAsync));
        application.MapPost("/dashboard/memory/{id}/mark", pages.Change(pages.MarkAsync));
    }
}
