using System.Text.RegularExpressions;
using SpeedupLlm.Prompts;

namespace SpeedupLlm.Worlds.Tariffs;

/// <summary>An attempt as it can be read from what a model wrote; looks at the last try.</summary>
/// <param name="Firm">The firm that it names, or null.</param>
/// <param name="Tariff">The tariff that it tries, or null if there is none that can be read.</param>
/// <param name="Final">The final answer, or null.</param>
/// <param name="Holds">Whether it says that both bills fit, and answers.</param>
internal sealed partial record ReadAttempt(string? Firm, Tariff? Tariff, string? Final, bool Holds)
{
    /// <summary>Reads a text.</summary>
    public static ReadAttempt Of(CompactPrompts prompts, string text)
    {
        var worked = prompts.Worked(text);
        var final = prompts.Final(worked);
        var opening = Opening().Match(worked);
        return new(
            opening.Success ? opening.Groups["firm"].Value : null,
            opening.Success ? Tariff.Parse(opening.Groups["tariff"].Value) : null,
            final,
            final is not null && Ok().Count(worked) == 2);
    }

    /// <summary>Whether the tariff truly explains both bills, which is more than saying so.</summary>
    public bool Fits(TariffQuestion q) => Tariff is not null && q.Fits(Tariff) == 2;

    /// <summary>Whether the tariff fits and the answer follows from it; the answer may still be wrong, where several tariffs fit.</summary>
    public bool Sound(TariffQuestion q) => Fits(q) && Final is not null && string.Equals(WorkedAttempt.TryWith(q, Tariff!)?.Final, Final, StringComparison.Ordinal);

    /// <summary>Whether the answer is right.</summary>
    public bool Right(TariffQuestion q) => string.Equals(Final, q.Answer, StringComparison.Ordinal);

    [GeneratedRegex(@"^Try (?<firm>.+?) charge (?<tariff>[^.]+)\.", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Opening();

    [GeneratedRegex(@" ok\.", RegexOptions.CultureInvariant)]
    private static partial Regex Ok();
}
