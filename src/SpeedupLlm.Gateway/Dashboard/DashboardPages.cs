using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using SpeedupLlm.Experience;
using SpeedupLlm.Gateway.Administration;
using SpeedupLlm.Gateway.Errors;

namespace SpeedupLlm.Gateway.Dashboard;

/// <summary>The pages of the dashboard, and the forms on them. A change is a form that carries our token, and ends at a page that shows it.</summary>
internal sealed class DashboardPages(
    SignIn signIn, ViewReader views, PageRenderer renderer, LiveStream live, GatewaySwitch mode, MemoryAdministration memory, ErrorExplanation explanation)
{
    // a correction in any alphabet, as forms encode it
    private const int LongestForm = 64 * 1024;

    /// <summary>What a page may do: its own style and script, its own addresses, in no frame.</summary>
    private const string Policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    /// <summary>A page for whoever may enter; others are asked for the key.</summary>
    public RequestDelegate Show(RequestDelegate page) => http => AnswerAsync(http, async () =>
    {
        if (await signIn.MayEnterAsync(http))
            await page(http);
        else
            await AskForKeyAsync(http, isWrong: false);
    });

    /// <summary>A change by whoever may enter, from a form of ours.</summary>
    public RequestDelegate Change(RequestDelegate change) => http => AnswerAsync(http, async () =>
    {
        if (!await signIn.MayEnterAsync(http))
        {
            await AskForKeyAsync(http, isWrong: false);
            return;
        }
        await signIn.CheckAsync(http);
        await change(http);
    });

    public Task SignInAsync(HttpContext http) => AnswerAsync(http, async () =>
    {
        await signIn.CheckAsync(http);
        var form = await http.Request.ReadFormAsync(http.RequestAborted);
        if (!signIn.IsNeeded || await signIn.EnterAsync(http, form["key"].ToString()))
            See(http, "/");
        else
            await AskForKeyAsync(http, isWrong: true);
    });

    public async Task SignOutAsync(HttpContext http)
    {
        await signIn.LeaveAsync(http);
        See(http, "/");
    }

    public async Task OverviewAsync(HttpContext http)
    {
        var view = await views.OverviewAsync(http.Request, signIn.TokenFor(http), http.RequestAborted);
        await WriteAsync(http, typeof(OverviewPage), view with { Live = view.Link("/dashboard/live", ("span", view.Span.Name)) });
    }

    public async Task MemoryAsync(HttpContext http) =>
        await WriteAsync(http, typeof(MemoryPage), await views.MemoryAsync(http.Request, signIn.TokenFor(http), http.RequestAborted));

    public async Task EpisodeAsync(HttpContext http) =>
        await WriteAsync(http, typeof(EpisodePage), await views.EpisodeAsync(http.Request, signIn.TokenFor(http), Id(http), http.RequestAborted));

    public Task LiveAsync(HttpContext http) => live.WriteAsync(http);

    public async Task ModeAsync(HttpContext http)
    {
        var form = await http.Request.ReadFormAsync(http.RequestAborted);
        if (!await mode.SetAsync(form["mode"].ToString(), "admin", http.RequestAborted))
            throw new ApiErrorException(ApiError.Invalid("There is no such mode.", "mode"));
        See(http, "/" + http.Request.QueryString);
    }

    public async Task ForgetAsync(HttpContext http)
    {
        if (await memory.ForgetAsync(views.TenantOf(http.Request), Id(http), "admin", http.RequestAborted) == 0)
            throw NoEpisode();
        See(http, "/dashboard/memory" + http.Request.QueryString.Add("done", "forgotten"));
    }

    public async Task MarkAsync(HttpContext http)
    {
        var form = await http.Request.ReadFormAsync(http.RequestAborted);
        var feedback = FeedbackOf(form);
        if (!await memory.MarkAsync(views.TenantOf(http.Request), Id(http), feedback, "admin", http.RequestAborted))
            throw NoEpisode();
        See(http, $"/dashboard/memory/{Uri.EscapeDataString(Id(http))}{http.Request.QueryString.Add("done", MemoryAdministration.VerdictOf(feedback))}");
    }

    /// <summary>What a form says of an answer: right, wrong, or what would have been right.</summary>
    private static Feedback FeedbackOf(IFormCollection form) => form["verdict"].ToString() switch
    {
        "right" => Feedback.Right,
        "wrong" => Feedback.Wrong,
        // forms send lines as the network's oldest programs did
        "corrected" when form["answer"].ToString().ReplaceLineEndings("\n").Trim() is { Length: > 0 and <= EpisodeView.LongestAnswer } answer => Feedback.Reference(answer),
        "corrected" => throw new ApiErrorException(ApiError.Invalid(FormattableString.Invariant($"A correction has 1 to {EpisodeView.LongestAnswer} characters."), "answer")),
        _ => throw new ApiErrorException(ApiError.Invalid("An answer is right or wrong, or is corrected.", "verdict")),
    };

    private async Task AskForKeyAsync(HttpContext http, bool isWrong)
    {
        http.Response.StatusCode = StatusCodes.Status401Unauthorized;
        await WriteAsync(http, typeof(SignInPage), new SignInView(signIn.IsPossible, isWrong) { Title = "Sign in", Token = signIn.TokenFor(http), Here = "/" });
    }

    /// <summary>What goes wrong is told on a page.</summary>
    private async Task AnswerAsync(HttpContext http, Func<Task> answer)
    {
        // a proxy that ends TLS says so; whoever makes it up only gets stricter cookies
        if (http.Request.Headers["X-Forwarded-Proto"] == Uri.UriSchemeHttps)
            http.Request.Scheme = Uri.UriSchemeHttps;
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = LongestForm;
        var headers = http.Response.Headers;
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        // with no referrer at all, browsers would not say that a form is ours
        headers["Referrer-Policy"] = "same-origin";
        try
        {
            await answer();
        }
        catch (StoreDegradedException e) when (!http.Response.HasStarted)
        {
            await TellAsync(http, StatusCodes.Status503ServiceUnavailable, e.Message);
        }
        catch (Exception e) when (!http.Response.HasStarted && !http.RequestAborted.IsCancellationRequested && explanation.Of(e) is { Status: < StatusCodes.Status500InternalServerError } error)
        {
            await TellAsync(http, error.Status, error.Message);
        }
    }

    private Task TellAsync(HttpContext http, int status, string message)
    {
        http.Response.StatusCode = status;
        return WriteAsync(http, typeof(ErrorPage), new ErrorView(message) { Title = "That did not work", Token = signIn.TokenFor(http), Here = http.Request.Path });
    }

    private async Task WriteAsync<TView>(HttpContext http, Type page, TView view)
        where TView : PageView
    {
        var html = await renderer.RenderAsync(page, view);
        http.Response.Headers.CacheControl = "no-store";
        http.Response.ContentType = "text/html; charset=utf-8";
        await http.Response.WriteAsync(html, http.RequestAborted);
    }

    /// <summary>After a change the browser asks for the page that shows it.</summary>
    private static void See(HttpContext http, string address)
    {
        http.Response.StatusCode = StatusCodes.Status303SeeOther;
        http.Response.Headers.Location = address;
    }

    private static string Id(HttpContext http) => (string)http.Request.RouteValues["id"]!;

    private static ApiErrorException NoEpisode() => new(ApiError.NotFound("There is no such episode: it was forgotten, or is not kept yet."));
}
