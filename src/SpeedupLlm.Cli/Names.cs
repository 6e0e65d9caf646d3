using System.CommandLine.Parsing;
using System.Globalization;

namespace SpeedupLlm.Cli;

/// <summary>Lists of names, as the contract writes them: comma-separated, or <c>all</c>.</summary>
internal static class Names
{
    /// <param name="kind">What is named.</param>
    /// <param name="list">What the user wrote, or null.</param>
    /// <param name="missing">What null means.</param>
    /// <param name="valid">All names, in order.</param>
    /// <exception cref="UnknownNameException">A name is not valid.</exception>
    /// <exception cref="UsageException">The list is empty, or a name stands twice.</exception>
    public static IReadOnlyList<string> Of(string kind, string? list, IReadOnlyList<string> missing, IReadOnlyList<string> valid)
    {
        if (list is null)
            return missing;
        if (list == "all")
            return valid;
        var names = list.Split(',', StringSplitOptions.TrimEntries);
        foreach (var name in names)
        {
            if (!valid.Contains(name, StringComparer.Ordinal))
                throw new UnknownNameException(kind, name, valid);
        }

        return names.Distinct(StringComparer.Ordinal).Count() == names.Length
            ? names
            : throw new UsageException($"a {kind} stands twice in {list}");
    }
}

/// <summary>Numbers with a point, whatever the user's culture.</summary>
internal static class Numbers
{
    /// <summary>Any number; NaN is not one.</summary>
    public static double Real(ArgumentResult result)
    {
        var text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && !double.IsNaN(value))
            return value;
        result.AddError($"'{text}' is not a number.");
        return 0;
    }

    /// <summary>The same of an option that may be left out.</summary>
    public static double? RealOrNone(ArgumentResult result) => Real(result);
}
