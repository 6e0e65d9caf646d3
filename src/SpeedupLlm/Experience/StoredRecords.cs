using System.Text.Json;

namespace SpeedupLlm.Experience;

/// <summary>A record that cannot be read, to be set aside.</summary>
/// <param name="Origin">Its table.</param>
/// <param name="Seq">Its number there.</param>
/// <param name="Reason">What is wrong.</param>
internal readonly record struct BadRecord(string Origin, long Seq, string Reason);

/// <summary>A row as it was read: a record, or what is wrong with it.</summary>
internal readonly record struct ReadRow<T>(long Seq, T? Record, BadRecord? Bad)
    where T : class;

/// <summary>The vector that a store has beside a record.</summary>
/// <param name="Values">The vector; empty if the record has none.</param>
/// <param name="Fault">What is wrong with it, or null.</param>
internal readonly record struct StoredVector(ReadOnlyMemory<float> Values, string? Fault)
{
    /// <summary>The record has no vector.</summary>
    public static StoredVector None => default;

    /// <summary>The record has one, and it is not there.</summary>
    public static StoredVector Missing => new(default, "its vector is missing");

    /// <summary>A vector that should have so many dimensions; null is a cut one.</summary>
    public static StoredVector Of(float[]? values, int dimensions) =>
        values?.Length == dimensions ? new(values, null) : new(default, "its vector has a wrong length");
}

/// <summary>How stores with tables write records and read them again: the vector, and a document's bytes, have columns of their own.</summary>
internal static class StoredRecords
{
    /// <summary>The origin of a bad episode.</summary>
    public const string EpisodeOrigin = "episode";

    /// <summary>The origin of a bad document.</summary>
    public const string DocumentOrigin = "document";

    /// <summary>An episode without its vector; times are UTC.</summary>
    public static byte[] Write(Episode episode) => RecordJson.Write(episode with { Embedding = default, At = episode.At.ToUniversalTime() });

    /// <summary>A document without its vector and bytes.</summary>
    public static byte[] Write(MemoryDocument document) => RecordJson.Write(document with { Embedding = default, Content = default });

    /// <summary>What of an episode may change: identity, scope and embedding stay, whatever a change returns.</summary>
    public static Episode Changed(Episode old, Func<Episode, Episode> change) =>
        change(old) with { Id = old.Id, Scope = old.Scope, Embedding = old.Embedding, EmbeddingFingerprint = old.EmbeddingFingerprint };

    /// <summary>Reads an episode that is said to be <paramref name="id"/> of <paramref name="tenant"/>.</summary>
    public static ReadRow<Episode> Episode(long seq, ReadOnlySpan<byte> record, string tenant, string id, Func<StoredVector> vector)
    {
        try
        {
            var episode = RecordJson.ReadEpisode(record);
            if (!string.Equals(episode.Id, id, StringComparison.Ordinal) || !string.Equals(episode.Scope.Tenant, tenant, StringComparison.Ordinal))
                return Bad("it names another episode");
            var (values, fault) = vector();
            return fault is null ? new(seq, episode with { Embedding = values }, null) : Bad(fault);
        }
        catch (Exception e) when (IsUnreadable(e))
        {
            return Bad("it cannot be read: " + e.Message);
        }

        ReadRow<Episode> Bad(string reason) => new(seq, null, new(EpisodeOrigin, seq, reason));
    }

    /// <summary>Reads a document that is said to be this version of <paramref name="key"/>.</summary>
    public static ReadRow<MemoryDocument> Document(
        long seq, ReadOnlySpan<byte> record, string kind, string key, long version, ReadOnlyMemory<byte> content, Func<StoredVector> vector)
    {
        try
        {
            var document = RecordJson.ReadDocument(record);
            if (!string.Equals(document.Kind, kind, StringComparison.Ordinal) || !string.Equals(document.Key, key, StringComparison.Ordinal) || document.Version != version)
                return Bad("it names another document");
            var (values, fault) = vector();
            return fault is null ? new(seq, document with { Content = content, Embedding = values }, null) : Bad(fault);
        }
        catch (Exception e) when (IsUnreadable(e))
        {
            return Bad("it cannot be read: " + e.Message);
        }

        ReadRow<MemoryDocument> Bad(string reason) => new(seq, null, new(DocumentOrigin, seq, reason));
    }

    private static bool IsUnreadable(Exception error) => error is JsonException or InvalidCastException or FormatException or ArgumentException;
}
