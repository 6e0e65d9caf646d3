using System.CommandLine;
using System.Globalization;
using SpeedupLlm.Benchmark.Calibration;
using SpeedupLlm.Benchmark.Experiments;
using SpeedupLlm.Worlds;

namespace SpeedupLlm.Cli.Commands;

/// <summary><c>speedup calibrate tau</c>: chooses the threshold that keeps a promise about wrong answers.</summary>
internal static class CalibrateTauCommand
{
    public static Command Create()
    {
        Option<double> delta = new("--delta") { Description = "δ: at most this share of the accepted answers may be wrong.", DefaultValueFactory = _ => 0.1, CustomParser = Numbers.Real };
        Option<double> alpha = new("--alpha") { Description = "α: the chance that more are wrong all the same.", DefaultValueFactory = _ => 0.05, CustomParser = Numbers.Real };
        Option<string> scaling = new("--scaling") { Description = $"How answers are searched: {string.Join(", ", Catalogue.ScalingMethods.Names)}.", DefaultValueFactory = _ => "best-of-n" };
        Option<string> scorer = new("--scorer") { Description = $"Who scores attempts: {string.Join(", ", Catalogue.Scorers.Names)}.", DefaultValueFactory = _ => "judge" };
        Option<string> data = new("--data") { Description = $"A world: {string.Join(", ", WorldCatalogue.Names)}.", DefaultValueFactory = _ => WorldCatalogue.Names[0] };
        Option<int> groups = new("--groups") { Description = "Subjects of the calibration split.", DefaultValueFactory = _ => 400 };
        Option<long> seed = new("--seed") { Description = "Picks the subjects.", DefaultValueFactory = _ => 1 };
        Option<string> model = new("--model") { Description = "embedded, novice, or embedded:FILE.", DefaultValueFactory = _ => ModelSource.Embedded };
        Option<int> checkpoint = new("--checkpoint") { Description = "Which of the embedded models, from 1.", DefaultValueFactory = _ => 1 };
        var command = new Command("tau", "Chooses the threshold τ that keeps the share of wrong answers among accepted ones to δ (Learn-then-Test).")
        {
            delta, alpha, scaling, scorer, data, groups, seed, model, checkpoint,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var (share, chance) = (parsed.GetValue(delta), parsed.GetValue(alpha));
            if (!(share is > 0 and < 1) || !(chance is > 0 and < 1))
                throw new UsageException("--delta and --alpha are above 0 and below 1");
            var settings = new ExperimentSettings { Scaling = [parsed.GetValue(scaling)!], Scorer = parsed.GetValue(scorer)! };
            settings.Validate();
            var world = DataSource.World(parsed.GetValue(data)!);
            var count = DataSource.AtLeastTwo(parsed.GetValue(groups));
            await using var source = ModelSource.Open(parsed.GetValue(model)!, null, parsed.GetValue(checkpoint), parsed.GetValue(seed), world);
            source.RequireWorld(world);
            var study = new TauStudy(source.ForExperiment(), world, settings);
            foreach (var choice in await study.RunAsync(count, parsed.GetValue(seed), share, chance, cancellationToken).ConfigureAwait(false))
                Print(choice);
            return 0;
        });
        return command;
    }

    private static void Print(TauChoice choice)
    {
        var best = choice.Rows.MinBy(r => r.Upper)!;
        Console.WriteLine(choice.Tau is { } tau
            ? string.Create(CultureInfo.InvariantCulture, $"{choice.State}: --tau {tau:0.00} keeps wrong answers among accepted ones to {choice.Delta:P1} with confidence {1 - choice.Alpha:P0} ({choice.Searches} searches)")
            : string.Create(CultureInfo.InvariantCulture, $"{choice.State}: no threshold shows {choice.Delta:P1} with confidence {1 - choice.Alpha:P0} ({choice.Searches} searches); the best that can be shown is {best.Upper:P1}, at --tau {best.Tau:0.00}"));
        Console.WriteLine("  tau   accepted  wrong  p-value  at most");
        foreach (var row in choice.Rows)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {row.Tau:0.00}  {row.Accepted,8}  {row.Wrong,5}  {row.PValue,7:0.000}  {row.Upper,7:P1}{(row.Holds ? "  holds" : "")}"));
    }
}
