using System.CommandLine;
using System.Globalization;
using SpeedupLlm.Benchmark.Data;
using SpeedupLlm.Relevancy;

namespace SpeedupLlm.Cli.Commands;

/// <summary><c>speedup dataset</c>: looks at question files, and makes variants of questions.</summary>
internal static class DatasetCommand
{
    public static Command Create()
    {
        Argument<string> data = new("DATA") { Description = "gsm-plus:FILE or jsonl:FILE." };
        Option<bool> runCode = new("--run-code") { Description = "Also runs the reference programs of questions of the kind code with their tests, in a sandbox." };
        var validate = new Command("validate", "Reads a question file and says what is in it, or what is wrong with it.") { data, runCode };
        validate.SetAction(async (parsed, cancellationToken) =>
        {
            foreach (var line in Describe(parsed.GetValue(data)!))
                Console.WriteLine(line);
            return parsed.GetValue(runCode) ? await RunProgramsAsync(parsed.GetValue(data)!, cancellationToken).ConfigureAwait(false) : 0;
        });
        return new Command("dataset", "Looks at question files, and makes variants of questions.") { validate, DatasetVaryCommand.Create() };
    }

    /// <summary>A reference answer that fails its own tests would count every right program as wrong.</summary>
    private static async Task<int> RunProgramsAsync(string data, CancellationToken cancellationToken)
    {
        if (!data.StartsWith(DataSource.JsonlPrefix, StringComparison.Ordinal))
            throw new UsageException("--run-code is for jsonl:FILE");
        var sandbox = await PythonSandbox.OpenAsync(cancellationToken).ConfigureAwait(false);
        var (passed, failed) = (0, 0);
        foreach (var example in QuestionFile.LoadFlat(DataSource.Existing(data[DataSource.JsonlPrefix.Length..])).Examples.Where(e => e.Tests.Length > 0))
        {
            if (await sandbox.PassesAsync(example.Expected, example.Tests, cancellationToken).ConfigureAwait(false))
            {
                passed++;
                continue;
            }

            failed++;
            Console.WriteLine($"  {example.Id}: the reference program does not pass its tests");
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {passed} reference programs pass their tests, {failed} do not"));
        return failed == 0 ? 0 : 1;
    }

    private static IEnumerable<string> Describe(string data)
    {
        if (data.StartsWith(DataSource.GsmPlusPrefix, StringComparison.Ordinal))
        {
            var plus = GsmPlus.Load(DataSource.Existing(data[DataSource.GsmPlusPrefix.Length..]));
            yield return string.Create(CultureInfo.InvariantCulture, $"{plus.Name}: {plus.Groups} groups with questions at S1 to S4, fingerprint {plus.Fingerprint}");
            foreach (var (type, count) in plus.Variations)
                yield return string.Create(CultureInfo.InvariantCulture, $"  {count} × {type}");
        }
        else if (data.StartsWith(DataSource.JsonlPrefix, StringComparison.Ordinal))
        {
            var questions = QuestionFile.Load(DataSource.Existing(data[DataSource.JsonlPrefix.Length..]));
            if (questions.LevelsAt(SimilarityLevel.S1) is null)
            {
                yield return string.Create(CultureInfo.InvariantCulture, $"{questions.Name}: {questions.Groups} questions without groups or levels, fingerprint {questions.Fingerprint}");
                yield break;
            }

            yield return string.Create(CultureInfo.InvariantCulture, $"{questions.Name}: {questions.Groups} groups, fingerprint {questions.Fingerprint}");
            foreach (var level in new[] { SimilarityLevel.S2, SimilarityLevel.S3, SimilarityLevel.S4 })
                yield return string.Create(CultureInfo.InvariantCulture, $"  {level}: every group has {questions.LevelsAt(level)}");
        }
        else
        {
            throw new UnknownNameException("data", data, ["gsm-plus:FILE", "jsonl:FILE"]);
        }
    }
}
