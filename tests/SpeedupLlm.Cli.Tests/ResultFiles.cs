using System.Text.RegularExpressions;

namespace SpeedupLlm.Cli.Tests;

/// <summary>Files of a run as tests compare them.</summary>
internal static partial class ResultFiles
{
    /// <summary>A file's text without what depends on the clock or the machine.</summary>
    public static string WithoutTime(string file) => Time().Replace(File.ReadAllText(file), "");

    [GeneratedRegex("\"time\":\\s*\\{[^{}]*\\}|<!-- time -->.*?<!-- /time -->", RegexOptions.Singleline)]
    private static partial Regex Time();
}
