using System.Text.Json;
using SpeedupLlm.Scoring;
using SpeedupLlm.Testing;
using Xunit.Abstractions;

namespace SpeedupLlm.Tests.Scoring;

/// <summary>Extraction and equivalence against the labels that came with 7,920 real answers; on a few own samples where the data are not at hand.</summary>
public sealed class RecordedAnswersTests(ITestOutputHelper output)
{
    /// <summary>Where the labels are themselves off, or a text has no answer, nobody agrees: the rest must.</summary>
    private const double LeastAgreement = 0.99;

    [Fact]
    public void Extract_RecordedAnswers_AgreesWithLabels() =>
        AssertAgreement(Repository.SharedData("gsm8k-recorded.jsonl") is { } file ? [.. File.ReadLines(file).Select(Read)] : OwnSamples(), LeastAgreement);

    [Fact]
    public void Extract_OwnSamples_AgreesWithAllLabels() => AssertAgreement(OwnSamples(), 1);

    private void AssertAgreement(List<(string Answer, List<(string Text, bool Correct)> Candidates)> rows, double least)
    {
        int agreed = 0, all = 0;
        foreach (var (answer, candidates) in rows)
        {
            foreach (var (text, correct) in candidates)
            {
                var ours = FinalAnswer.Extract(text) is { } final && AnswerComparer.AreEquivalent(final, answer);
                all++;
                if (ours == correct)
                    agreed++;
                else
                    output.WriteLine($"label {correct}, expected {answer}, found {FinalAnswer.Extract(text)}: …{text[^Math.Min(160, text.Length)..].ReplaceLineEndings(" ")}");
            }
        }
        output.WriteLine(FormattableString.Invariant($"{agreed} of {all} agree: {agreed / (double)all:0.0000}"));
        Assert.True(agreed >= least * all, FormattableString.Invariant($"{agreed} of {all} agree"));
    }

    private static (string Answer, List<(string Text, bool Correct)> Candidates) Read(string line)
    {
        using var json = JsonDocument.Parse(line);
        return (json.RootElement.GetProperty("answer").GetString()!,
            [.. json.RootElement.GetProperty("candidates").EnumerateArray().Select(c => (c.GetProperty("text").GetString()!, c.GetProperty("correct").GetBoolean()))]);
    }

    private static List<(string Answer, List<(string Text, bool Correct)> Candidates)> OwnSamples() =>
    [
        ("12", [("3 * 4 = 12 oranges. #### 12", true), ("3 + 4 = 7. The answer is: 7", false), ("Twelve, since 3 * 4 = <<3*4=12>>12.\n\nSo there are 12 oranges.", true)]),
        ("1250", [("The cost is $1,250.", true), ("#### $1,250.00", true), ("It costs \\boxed{1{,}250} dollars", true), ("It costs $125.0", false)]),
        ("0.5", [("The answer is 1/2.", true), ("答案是半。", true), ("It is 5", false)]),
    ];
}
