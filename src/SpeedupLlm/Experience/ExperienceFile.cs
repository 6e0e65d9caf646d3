using System.Globalization;
using System.Text;
using System.Text.Json;

namespace SpeedupLlm.Experience;

/// <summary>A line of an experience file: an episode or a document.</summary>
internal sealed record ExperienceLine(Episode? Episode = null, MemoryDocument? Document = null);

/// <summary>What <see cref="ExperienceFile.ImportAsync"/> did.</summary>
/// <param name="Episodes">Episodes in the file.</param>
/// <param name="Documents">Documents in the file that were written.</param>
/// <param name="Kept">Documents that the store had already; those were left as they are.</param>
public sealed record ImportedExperience(long Episodes, long Documents, long Kept);

/// <summary>Experience as JSON lines (UTF-8), for moving it from any store to any other: an episode or a document a line, <c>{"episode":{…}}</c> or <c>{"document":{…}}</c>.</summary>
public static class ExperienceFile
{
    private const int Window = 256;

    /// <summary>Writes all episodes of a tenant, oldest first, then all documents; returns how many records.</summary>
    /// <param name="store">Where from.</param>
    /// <param name="tenant">Whose.</param>
    /// <param name="output">UTF-8; is flushed and not closed.</param>
    /// <param name="cancellationToken">Ends it; what was written stays.</param>
    public static async Task<long> ExportAsync(IExperienceStore store, string tenant, Stream output, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(output);
        var scopes = (await store.ScopesAsync(tenant, cancellationToken).ConfigureAwait(false))
            .Select(s => s with { User = null, Conversation = null }).Distinct().ToList();
        var count = 0L;
        foreach (var scope in scopes)
        {
            // listing goes newest first; ids are small, records are not
            var ids = new List<string>();
            await foreach (var episode in store.ListAsync(new(scope, "", UsableOnly: false), cancellationToken).ConfigureAwait(false))
                ids.Add(episode.Id);
            ids.Reverse();
            foreach (var id in ids)
            {
                if (await store.GetEpisodeAsync(tenant, id, cancellationToken).ConfigureAwait(false) is not { } episode)
                    continue;
                await WriteAsync(new(Episode: episode)).ConfigureAwait(false);
            }
        }
        foreach (var scope in scopes)
        {
            await foreach (var document in store.ListDocumentsAsync(scope, null, cancellationToken).ConfigureAwait(false))
                await WriteAsync(new(Document: document)).ConfigureAwait(false);
        }
        await output.FlushAsync(cancellationToken).ConfigureAwait(false);
        return count;

        async ValueTask WriteAsync(ExperienceLine line)
        {
            await output.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(line, RecordJson.Default.ExperienceLine), cancellationToken).ConfigureAwait(false);
            await output.WriteAsync("\n"u8.ToArray(), cancellationToken).ConfigureAwait(false);
            count++;
        }
    }

    /// <summary>Reads a file into a store. What the store has already stays as it is, so a broken import can simply be repeated.</summary>
    /// <param name="store">Where to.</param>
    /// <param name="tenant">Whose it becomes, whatever tenant the file names.</param>
    /// <param name="input">UTF-8; is not closed.</param>
    /// <param name="cancellationToken">Ends it; what was read stays.</param>
    /// <exception cref="InvalidDataException">A line is no record; the message begins with its number. The lines before it are in the store.</exception>
    public static async Task<ImportedExperience> ImportAsync(IExperienceStore store, string tenant, Stream input, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(tenant);
        ArgumentNullException.ThrowIfNull(input);
        using var reader = new StreamReader(input, new UTF8Encoding(false, throwOnInvalidBytes: true), detectEncodingFromByteOrderMarks: true, bufferSize: 1 << 16, leaveOpen: true);
        long number = 0, episodes = 0, documents = 0, kept = 0;
        var pending = new Queue<Task>(); // many at once share a commit, and the order stays
        try
        {
            while (await ReadLineAsync(reader, number + 1, cancellationToken).ConfigureAwait(false) is { } text)
            {
                number++;
                if (string.IsNullOrWhiteSpace(text))
                    continue;
                var line = Parse(text, number);
                if (line.Episode is { } episode)
                {
                    pending.Enqueue(store.AppendAsync(episode with { Scope = episode.Scope with { Tenant = tenant } }, cancellationToken).AsTask());
                    episodes++;
                }
                else if (await store.PutAsync(line.Document! with { Scope = line.Document.Scope with { Tenant = tenant }, Version = 0 }, cancellationToken).ConfigureAwait(false) is null)
                    kept++;
                else
                    documents++;
                while (pending.Count >= Window)
                    await pending.Dequeue().ConfigureAwait(false);
            }
        }
        finally
        {
            await Task.WhenAll(pending).ConfigureAwait(false);
        }
        return new(episodes, documents, kept);
    }

    private static async ValueTask<string?> ReadLineAsync(StreamReader reader, long number, CancellationToken cancellationToken)
    {
        try
        {
            return await reader.ReadLineAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (DecoderFallbackException e)
        {
            throw Bad(number, "not UTF-8", e);
        }
    }

    private static ExperienceLine Parse(string text, long number)
    {
        try
        {
            var line = JsonSerializer.Deserialize(text, RecordJson.Default.ExperienceLine);
            if (line is null || (line.Episode is null) == (line.Document is null))
                throw new JsonException("neither an episode nor a document");
            RecordJson.CheckFormat(line.Episode?.FormatVersion ?? line.Document!.FormatVersion);
            return line;
        }
        catch (JsonException e)
        {
            throw Bad(number, e.Message, e);
        }
    }

    private static InvalidDataException Bad(long number, string reason, Exception inner) =>
        new(string.Create(CultureInfo.InvariantCulture, $"line {number}: {reason.ReplaceLineEndings(" ")}"), inner);
}
