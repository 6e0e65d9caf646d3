using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using SpeedupLlm.Experience;

namespace SpeedupLlm.Gateway.Replicas;

/// <summary>Something of the gateway's own that its replicas keep together: a document in the store, which they change one after another. Thread-safe.</summary>
/// <param name="store">The store of all replicas.</param>
/// <param name="clock">The clock.</param>
/// <param name="json">How it is written.</param>
/// <param name="tenant">Whose it is.</param>
/// <param name="kind">The document's kind.</param>
/// <param name="key">The document's key within its kind.</param>
internal sealed class SharedDocument<T>(IExperienceStore store, TimeProvider clock, JsonTypeInfo<T> json, string tenant, string kind, string key)
    where T : class
{
    // whoever loses a round has seen somebody win it
    private const int MostRounds = 64;

    // no model's: nothing that looks for episodes finds it
    private readonly Scope _scope = new(tenant, null, null, "gateway", "");

    /// <summary>What is stored, or null if there is nothing that can be read.</summary>
    public async ValueTask<T?> ReadAsync(CancellationToken cancellationToken) => Read(await store.GetAsync(_scope, kind, key, cancellationToken));

    /// <summary>Changes what is stored; returns what it was changed to, or null if it was not, or others were faster again and again.</summary>
    /// <param name="change">Gets what is stored, if that can be read, and gives what is to be, or null to leave it. Runs again when somebody else was faster.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="StoreDegradedException">It cannot be kept.</exception>
    public async ValueTask<T?> ChangeAsync(Func<T?, T?> change, CancellationToken cancellationToken)
    {
        for (var round = 0; round < MostRounds; round++)
        {
            var held = await store.GetAsync(_scope, kind, key, cancellationToken);
            if (change(Read(held)) is not { } changed)
                return null;
            var document = new MemoryDocument
            {
                Kind = kind,
                Key = key,
                Scope = _scope,
                Content = JsonSerializer.SerializeToUtf8Bytes(changed, json),
                Version = held?.Version ?? 0,
                At = clock.GetUtcNow(),
            };
            if (await store.PutAsync(document, cancellationToken) is not null)
                return changed;
        }
        return null;
    }

    /// <summary>What cannot be read is begun anew: it is an account, and nothing is answered with it.</summary>
    private T? Read(MemoryDocument? document)
    {
        try
        {
            return document is null ? null : JsonSerializer.Deserialize(document.Content.Span, json);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
