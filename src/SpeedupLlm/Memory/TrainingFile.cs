using System.Text;
using System.Text.Json;
using SpeedupLlm.Compute;

namespace SpeedupLlm.Memory;

/// <summary>Training pairs as OpenAI's chat fine-tuning JSONL: a line a pair, <c>{"messages":[{"role":…,"content":…}, …]}</c>, the target as the assistant's message.</summary>
public static class TrainingFile
{
    /// <summary>Writes the pairs, replacing the file whole or not at all.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static async ValueTask WriteAsync(string file, IReadOnlyList<TrainingPair> pairs, CancellationToken cancellationToken)
    {
        var text = new StringBuilder();
        foreach (var pair in pairs)
            text.Append(ToLine(pair)).Append('\n');
        // one name a writer: two that learn at once must not write into each other's file
        var part = $"{file}.{Guid.NewGuid():n}.part";
        try
        {
            await File.WriteAllTextAsync(part, text.ToString(), cancellationToken).ConfigureAwait(false);
            File.Move(part, file, overwrite: true);
        }
        finally
        {
            File.Delete(part);
        }
    }

    /// <summary>One line, without its end.</summary>
    public static string ToLine(TrainingPair pair)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteStartArray("messages");
            foreach (var message in pair.Prompt.Messages)
                Write(json, message.Role.Value, message.Text);
            Write(json, "assistant", pair.Target);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length);
    }

    /// <summary>Names a list of pairs: the same pairs in the same order give the same name.</summary>
    internal static StreamKey Fingerprint(IReadOnlyList<TrainingPair> pairs) =>
        pairs.Aggregate(StreamKey.Root(0).Child("pairs"), (key, pair) => key.Child(ToLine(pair)));

    private static void Write(Utf8JsonWriter json, string role, string content)
    {
        json.WriteStartObject();
        json.WriteString("role", role);
        json.WriteString("content", content);
        json.WriteEndObject();
    }
}
