using System.Text.Json;
using Microsoft.Extensions.AI;
using SpeedupLlm.Compute;

namespace SpeedupLlm.Models;

/// <summary>Opens <c>recorded:FILE</c>, whichever of the two kinds it is.</summary>
public static class RecordedModel
{
    /// <summary>A <see cref="RecordedCalls"/> for a full recording, a <see cref="RecordedAnswers"/> for an answer set.</summary>
    /// <param name="file">The file.</param>
    /// <param name="order">Names the order in which an answer set's candidates are drawn; <c>StreamKey.Root(seed)</c>. A full recording does not need it.</param>
    /// <exception cref="InvalidDataException">It is neither, or malformed; the message names file, line and field.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static IChatClient Open(string file, StreamKey order)
    {
        ArgumentException.ThrowIfNullOrEmpty(file);
        var first = File.ReadLines(file).FirstOrDefault(l => !string.IsNullOrWhiteSpace(l)) ?? throw RecordingReader.Bad(file, 1, "the file is empty");
        try
        {
            using var document = JsonDocument.Parse(first.TrimStart('\uFEFF'));
            if (document.RootElement.Get("recording") is not null)
                return RecordedCalls.Open(file);
            if (document.RootElement.Get("candidates") is not null || document.RootElement.Get("question") is not null)
                return new RecordedAnswers(RecordedAnswerSet.Load(file), order);
        }
        catch (JsonException e)
        {
            throw RecordingReader.Bad(file, 1, RecordingReader.Problem(e), e);
        }
        throw RecordingReader.Bad(file, 1, "neither a recording (recording, model) nor an answer set (question, answer, candidates)");
    }
}
