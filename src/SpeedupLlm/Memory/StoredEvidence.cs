using System.Text.Json;
using System.Text.Json.Serialization;
using SpeedupLlm.Experience;
using SpeedupLlm.Guard;

namespace SpeedupLlm.Memory;

/// <summary>A scope's <see cref="ReuseEvidence"/> of one kind of reuse, in a document of its store.</summary>
internal sealed class StoredEvidence(string key, string memory, ReuseEvidence prior)
{
    /// <summary>The kind of the document.</summary>
    public const string Kind = "reuse-evidence";

    /// <summary>The evidence as it stands.</summary>
    public async ValueTask<ReuseEvidence> ReadAsync(IMemoryContext context, CancellationToken cancellationToken) =>
        Parse(await context.Store.GetAsync(context.Scope, Kind, key, cancellationToken).ConfigureAwait(false));

    /// <summary>Adds a check.</summary>
    /// <exception cref="MemoryConflictException">Other writers were faster again and again.</exception>
    public ValueTask AddAsync(double confidence, bool wrong, IMemoryContext context, CancellationToken cancellationToken) => Learning.ReviseAsync(
        Kind, key, held => JsonSerializer.SerializeToUtf8Bytes([.. Parse(held).After(confidence, wrong).State], ReuseJson.Default.LevelEvidenceArray),
        memory, context, cancellationToken);

    private ReuseEvidence Parse(MemoryDocument? document) => document is null ? prior
        : prior.From(JsonSerializer.Deserialize(document.Content.Span, ReuseJson.Default.LevelEvidenceArray)
            ?? throw new InvalidDataException($"The {Kind} of {document.Scope.Tenant} is not readable."));
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(LevelEvidence[]))]
internal sealed partial class ReuseJson : JsonSerializerContext
{
}
