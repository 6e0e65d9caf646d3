using System.CommandLine;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using SpeedupLlm.Benchmark.Data;
using SpeedupLlm.Compute;
using SpeedupLlm.Relevancy;
using SpeedupLlm.Worlds;

namespace SpeedupLlm.Cli.Commands;

/// <summary><c>speedup dataset vary</c>: makes a question file with groups and levels out of plain questions.</summary>
internal static class DatasetVaryCommand
{
    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Command Create()
    {
        var defaults = new VariationOptions();
        Argument<string> data = new("DATA") { Description = "jsonl:FILE with questions and answers." };
        Option<string> output = new("--out") { Description = "The new file.", Required = true };
        Option<string> model = new("--model") { Description = "The URL of an OpenAI-compatible endpoint.", Required = true };
        Option<string?> modelName = new("--model-name") { Description = "The model's name at the endpoint." };
        Option<string> levels = new("--similarity") { Description = "Levels, comma-separated: S2, S3, S4.", DefaultValueFactory = _ => string.Join(',', defaults.Levels) };
        Option<int> perLevel = new("--per-level") { Description = "Variants a question and level.", DefaultValueFactory = _ => defaults.PerLevel };
        Option<int> samples = new("--samples") { Description = "Answers that must all agree.", DefaultValueFactory = _ => defaults.Samples };
        Option<long> seed = new("--seed") { Description = "The seed of everything.", DefaultValueFactory = _ => 1 };
        var command = new Command("vary", "Makes variants of questions at S2, S3 and S4 with a model, and keeps those whose answers agree across samples.") { data, output, model, modelName, levels, perLevel, samples, seed };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var options = new VariationOptions
            {
                Levels = [.. parsed.GetValue(levels)!.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(LevelOf)],
                PerLevel = parsed.GetValue(perLevel),
                Samples = parsed.GetValue(samples),
            };
            if (!parsed.GetValue(data)!.StartsWith(DataSource.JsonlPrefix, StringComparison.Ordinal))
                throw new UnknownNameException("data", parsed.GetValue(data)!, ["jsonl:FILE"]);
            var questions = QuestionFile.Load(DataSource.Existing(parsed.GetValue(data)![DataSource.JsonlPrefix.Length..]));
            if (File.Exists(parsed.GetValue(output)))
                throw new UsageException($"{parsed.GetValue(output)} is there already: name another file");
            await using var source = ModelSource.Open(parsed.GetValue(model)!, parsed.GetValue(modelName), 1, parsed.GetValue(seed));
            if (source.IsEmbedded || source.Answers is not null)
                throw new UsageException("--model is the URL of an endpoint here: the embedded reasoner and recorded answers write no questions");
            var variator = new QuestionVariator(source.Client, options);
            var stream = StreamKey.Root(parsed.GetValue(seed)).Child("vary");
            var (whole, dropped) = (0, new Dictionary<string, int>(StringComparer.Ordinal));
            // written group by group: what is made before a failure is kept
            await using var file = new StreamWriter(parsed.GetValue(output)!);
            for (var index = 0; index < questions.Groups; index++)
            {
                var question = questions.At(index, SimilarityLevel.S1, 0);
                var kept = new List<(SimilarityLevel Level, Example Variant)>();
                await foreach (var varied in variator.VaryAsync(question, stream.Child(question.Id), cancellationToken).ConfigureAwait(false))
                {
                    if (varied.Variant is { } variant)
                        kept.Add((varied.Level, variant));
                    else
                        dropped[varied.Dropped!] = dropped.GetValueOrDefault(varied.Dropped!) + 1;
                }

                // a lifeline needs as many questions at every level
                if (options.Levels.Any(l => kept.Count(k => k.Level == l) < options.PerLevel))
                    continue;
                whole++;
                await file.WriteLineAsync(Line(question, question.Id, null)).ConfigureAwait(false);
                foreach (var (level, variant) in kept)
                    await file.WriteLineAsync(Line(variant, question.Id, level)).ConfigureAwait(false);
                await file.FlushAsync(cancellationToken).ConfigureAwait(false);
            }

            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{whole} of {questions.Groups} questions have all their variants; drafts dropped: {(dropped.Count == 0 ? "none" : string.Join(", ", dropped.OrderByDescending(d => d.Value).Select(d => $"{d.Value} {d.Key}")))}"));
            return whole > 0 ? 0 : Failure.Other;
        });
        return command;
    }

    private static SimilarityLevel LevelOf(string name) =>
        name is "S2" or "S3" or "S4" ? Enum.Parse<SimilarityLevel>(name) : throw new UnknownNameException("similarity", name, ["S2", "S3", "S4"]);

    private static string Line(Example question, string group, SimilarityLevel? level)
    {
        var line = new JsonObject { ["id"] = question.Id, ["text"] = question.Question, ["answer"] = question.Expected, ["group"] = group };
        foreach (var (name, value) in new[] { ("similarity", level?.ToString() ?? ""), ("kind", question.Kind), ("solution", question.WorkedSolution) })
        {
            if (value.Length > 0)
                line[name] = value;
        }

        return line.ToJsonString(Readable);
    }
}
