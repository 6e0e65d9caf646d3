using Microsoft.AspNetCore.Http;
using SpeedupLlm.Gateway.Errors;
using SpeedupLlm.Gateway.Requests;

namespace SpeedupLlm.Gateway.Tenants;

/// <summary>Who sends a request, as far as a key proves it.</summary>
/// <param name="Tenant">The tenant, or null: a key for administration only.</param>
/// <param name="IsAdmin">Whether it may administer.</param>
internal sealed record Requester(Tenant? Tenant, bool IsAdmin)
{
    // names are kept with every episode
    private const int LongestName = 512;

    /// <summary>The requester of an authenticated request.</summary>
    public static Requester Of(HttpContext http) => http.Features.Get<Requester>() ?? throw new InvalidOperationException("The request was not authenticated.");

    /// <summary>Whose memory a question belongs to. User and conversation only narrow what the tenant's key opens (case 26).</summary>
    /// <exception cref="ApiErrorException">A name is longer than any name.</exception>
    public Caller CallerOf(RequestHead head, Treatment treatment) => new(Tenant!.Name, Bounded(head.User, "user"), Bounded(treatment.Conversation, "speedup.conversation"));

    private static string? Bounded(string? name, string parameter) => name is { Length: > LongestName }
        ? throw new ApiErrorException(ApiError.Invalid(FormattableString.Invariant($"“{parameter}” is longer than {LongestName} characters."), parameter))
        : name is { Length: 0 } ? null : name;
}
