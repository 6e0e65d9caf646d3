using System.CommandLine;
using System.Globalization;
using SpeedupLlm.Benchmark.Calibration;
using SpeedupLlm.Relevancy;
using SpeedupLlm.Worlds;

namespace SpeedupLlm.Cli.Commands;

/// <summary><c>speedup calibrate prior</c>: measures what <c>auto</c> is told of a model beforehand.</summary>
internal static class CalibratePriorCommand
{
    public static Command Create()
    {
        Argument<string> output = new("FILE") { Description = "Where the prior goes; beside the weights as NAME.prior.json it is used." };
        Option<string> data = new("--data") { Description = $"A world: {string.Join(", ", WorldCatalogue.Names)}.", DefaultValueFactory = _ => WorldCatalogue.Names[0] };
        Option<int> groups = new("--groups") { Description = "Subjects of the calibration split.", DefaultValueFactory = _ => 400 };
        Option<long> seed = new("--seed") { Description = "Picks the subjects.", DefaultValueFactory = _ => 1 };
        Option<string> model = new("--model") { Description = "embedded, novice, or embedded:FILE.", DefaultValueFactory = _ => ModelSource.Embedded };
        Option<int> checkpoint = new("--checkpoint") { Description = "Which of the embedded models, from 1.", DefaultValueFactory = _ => 1 };
        var command = new Command("prior", "Measures what cases do for a model, and how large a search is worth it, for the memory auto.") { output, data, groups, seed, model, checkpoint };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var world = DataSource.World(parsed.GetValue(data)!);
            var count = DataSource.AtLeastTwo(parsed.GetValue(groups));
            await using var source = ModelSource.Open(parsed.GetValue(model)!, null, parsed.GetValue(checkpoint), parsed.GetValue(seed), world);
            source.RequireWorld(world);
            var prior = await new AutoStudy(new(source.Client, source.Traits), world).RunAsync(count, parsed.GetValue(seed), cancellationToken).ConfigureAwait(false);
            await File.WriteAllTextAsync(parsed.GetValue(output)!, prior.ToJson(), cancellationToken).ConfigureAwait(false);
            foreach (var band in prior.Bands)
                Console.WriteLine(Describe(band));
            return 0;
        });
        return command;
    }

    private static string Describe(Memory.PriorBand band)
    {
        if (band.Level == SimilarityLevel.Unrelated)
            return string.Create(CultureInfo.InvariantCulture, $"{band.Scaling,-18}{"-",-9}{band.Questions,5} questions after a search in vain, {band.Operations:0.00} operations: {band.Effort:P0} of the search is worth it");
        var use = band.UseCases ? string.Create(CultureInfo.InvariantCulture, $"used, {band.Effort:P0} of the search") : "on trial";
        return string.Create(CultureInfo.InvariantCulture,
            $"{band.Scaling,-18}{band.Level,-4}{(band.Told ? "told" : ""),-5}{band.Questions,5} questions, {band.Operations:0.00} operations with a case, {band.OperationsWithout:0.00} without: {use}; first attempt accepted {band.Judged.Count(a => a)} of {band.Judged.Count}");
    }
}
