using SpeedupLlm.Benchmark.Experiments;
using SpeedupLlm.Experience;
using SpeedupLlm.Memory;

namespace SpeedupLlm.Cli;

/// <summary>What was asked cannot be done as it was asked. Remedy: what the message says.</summary>
internal sealed class UsageException(string message) : Exception(message);

/// <summary>One line for every failure, and the contract's exit status; never a stack trace.</summary>
internal static class Failure
{
    public const int Usage = 2, Interrupted = 130, Other = 1;

    /// <summary>Writes the line to standard error.</summary>
    /// <returns>The exit status.</returns>
    public static int Report(Exception error)
    {
        var status = StatusOf(error);
        Console.Error.WriteLine("speedup: " + OneLine(status == Interrupted ? "interrupted" : MessageOf(error)));
        return status;
    }

    public static int StatusOf(Exception error) => error switch
    {
        OperationCanceledException => Interrupted,
        UsageException or UnknownNameException or ResumeRefusedException or ResultsExistException or MemoryNotSupportedException => Usage,
        InvalidDataException or FileNotFoundException or DirectoryNotFoundException or FormatException or ArgumentException => Usage,
        StoreFormatException or StoreCorruptException => Usage,
        _ => Other,
    };

    /// <summary>Messages of our own and of the system are for people; any other kind of exception is named, so that it can be looked for.</summary>
    private static string MessageOf(Exception error) => error switch
    {
        ArgumentException { ParamName: { } name } argument => argument.Message.Replace($" (Parameter '{name}')", "", StringComparison.Ordinal),
        NullReferenceException or IndexOutOfRangeException or InvalidCastException or KeyNotFoundException => $"a fault in the program, {error.GetType().Name}: {error.Message}",
        AggregateException { InnerException: { } inner } => MessageOf(inner),
        _ => error.Message,
    };

    private static string OneLine(string message) => string.Join(' ', message.Split(['\r', '\n', '\t'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
}
