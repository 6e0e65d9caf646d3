using System.Text.Json.Serialization;

namespace SpeedupLlm.Gateway.Dashboard;

/// <summary>Who is signed in, as replicas share it: hashes of the sessions' names, which open nothing, and when they end. Immutable.</summary>
/// <param name="FormatVersion">The version of the stored form.</param>
/// <param name="Ends">When each ends, UTC, by the hash of its name.</param>
internal sealed record OpenSessions(int FormatVersion, IReadOnlyDictionary<string, DateTimeOffset> Ends)
{
    public const int CurrentFormat = 1;

    // whoever signs in has the admin key; forgotten tabs must not pile up all the same
    private const int Most = 256;

    /// <summary>Nobody is signed in.</summary>
    public static OpenSessions None { get; } = new(CurrentFormat, new Dictionary<string, DateTimeOffset>(StringComparer.Ordinal));

    /// <summary>With a session that ends at a moment; those that have ended go, and the next to end if there are too many.</summary>
    public OpenSessions With(string hash, DateTimeOffset ends, DateTimeOffset now) => this with
    {
        Ends = Ends.Where(s => s.Key != hash && s.Value > now).OrderByDescending(s => s.Value).Take(Most - 1).Append(new(hash, ends)).ToDictionary(StringComparer.Ordinal),
    };

    /// <summary>Without a session.</summary>
    public OpenSessions Without(string hash) => this with { Ends = Ends.Where(s => s.Key != hash).ToDictionary(StringComparer.Ordinal) };
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(OpenSessions))]
internal sealed partial class SessionJson : JsonSerializerContext
{
}
