using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Http;
using SpeedupLlm.Gateway.Errors;
using SpeedupLlm.Gateway.Tenants;

namespace SpeedupLlm.Gateway.Dashboard;

/// <summary>Lets people in: whoever has the admin key, and without any keys whoever is at this machine.</summary>
internal sealed class SignIn(Access access, IAntiforgery antiforgery)
{
    public const string Scheme = CookieAuthenticationDefaults.AuthenticationScheme;

    /// <summary>Whether the admin key is asked for.</summary>
    public bool IsNeeded => !access.IsOpen;

    /// <summary>Whether there is anything to sign in with.</summary>
    public bool IsPossible => access.HasAdminKey;

    /// <summary>Whether whoever asks may see the dashboard.</summary>
    /// <exception cref="ApiErrorException">There are no keys, and it is another machine or another site's page that asks.</exception>
    public async ValueTask<bool> MayEnterAsync(HttpContext http)
    {
        if (access.IsOpen)
            return access.Authenticate(http).IsAdmin;
        var session = await http.AuthenticateAsync(Scheme);
        if (session.Principal is { } who)
            http.User = who;
        return session.Succeeded;
    }

    /// <summary>Signs in with a key; says whether it is the right one.</summary>
    public async ValueTask<bool> EnterAsync(HttpContext http, string key)
    {
        if (!access.IsAdminKey(key.Trim()))
            return false;
        await http.SignInAsync(Scheme, Sessions.Admin);
        return true;
    }

    public Task LeaveAsync(HttpContext http) => http.SignOutAsync(Scheme);

    /// <summary>The field and value that every form of ours carries, and no page of others can know.</summary>
    public FormToken TokenFor(HttpContext http)
    {
        var tokens = antiforgery.GetAndStoreTokens(http);
        return new(tokens.FormFieldName, tokens.RequestToken!);
    }

    /// <summary>Refuses a form that is not ours.</summary>
    /// <exception cref="ApiErrorException">It carries no token, or another session's.</exception>
    public async ValueTask CheckAsync(HttpContext http)
    {
        if (!await antiforgery.IsRequestValidAsync(http))
            throw new ApiErrorException(ApiError.Invalid("The page is too old, or not ours: go back to the dashboard and try again.", code: "antiforgery"));
    }
}

/// <summary>The field and value that prove a form to be ours.</summary>
internal sealed record FormToken(string Field, string Value);
