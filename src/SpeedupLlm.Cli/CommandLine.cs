using System.CommandLine;
using System.CommandLine.Invocation;
using System.Runtime.InteropServices;
using System.Text;
using SpeedupLlm.Cli.Commands;

namespace SpeedupLlm.Cli;

/// <summary>The command line: parses, runs, and turns every failure into one line and an exit status.</summary>
internal static class CommandLine
{
    private static readonly TimeProvider Clock = TimeProvider.System;

    public static async Task<int> RunAsync(string[] args)
    {
        Console.OutputEncoding = new UTF8Encoding(false);
        var parsed = Root().Parse(args);
        if (parsed.Errors.Count > 0 && parsed.Action is ParseErrorAction)
            return Failure.Report(new UsageException(Explain(parsed)));
        using var stop = new CancellationTokenSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => Cancel(signal, stop));
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => Cancel(signal, stop));
        try
        {
            return await parsed.InvokeAsync(new() { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null }, stop.Token).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            return Failure.Report(error);
        }
    }

    /// <summary>A word that nothing takes says more than what is missing because of it.</summary>
    private static string Explain(ParseResult parsed)
    {
        if (parsed.UnmatchedTokens.Count == 0)
            return parsed.Errors[0].Message;
        var word = parsed.UnmatchedTokens[0];
        var command = parsed.CommandResult.Command;
        var valid = word.StartsWith('-') || command.Subcommands.Count == 0 ? command.Options.Select(o => o.Name) : command.Subcommands.Select(c => c.Name);
        return $"unknown {(word.StartsWith('-') ? "option" : "argument")} '{word}'. Valid: {string.Join(", ", valid)}.";
    }

    /// <summary>All commands; each is one file.</summary>
    internal static RootCommand Root() => new("Language models that answer faster and cheaper the more they are used.")
    {
        BenchCommand.Create(Clock),
        AskCommand.Create(Clock),
        MemoryCommand.Create(),
        ModelCommand.Create(Clock),
        ReportCommand.Create(),
        DatasetCommand.Create(),
        CalibrateCommand.Create(),
        ServeCommand.Create(Clock),
        TheoryCommand.Create(Clock),
        SensitivityCommand.Create(Clock),
    };

    /// <summary>The first signal asks the command to end with what it has; the second ends the process.</summary>
    private static void Cancel(PosixSignalContext signal, CancellationTokenSource stop)
    {
        if (stop.IsCancellationRequested)
            return;
        signal.Cancel = true;
        stop.Cancel();
    }
}
