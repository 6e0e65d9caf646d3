namespace SpeedupLlm.Relevancy;

/// <summary>Units of measure in a text: the same number of another unit is another question (case 21).</summary>
internal static class Units
{
    private static readonly (string Dimension, string[][] Units)[] Known =
    [
        ("length", [["mm", "millimetre", "millimeter"], ["cm", "centimetre", "centimeter"], ["m", "metre", "meter"], ["km", "kilometre", "kilometer"],
            ["inch", "inches"], ["foot", "feet", "ft"], ["yard"], ["mile"]]),
        ("mass", [["mg", "milligram"], ["g", "gram"], ["kg", "kilogram", "kilo"], ["tonne", "ton"], ["ounce", "oz"], ["pound", "lb", "lbs"]]),
        ("volume", [["ml", "millilitre", "milliliter"], ["litre", "liter", "l"], ["gallon"], ["pint"], ["quart"]]),
        ("time", [["second", "sec"], ["minute", "min"], ["hour", "hr"], ["day"], ["week"], ["month"], ["year"]]),
        ("money", [["dollar", "$"], ["cent", "¢"], ["euro", "€"], ["pound-sterling", "£"], ["yen", "¥"]]),
    ];

    private static readonly Dictionary<string, (string Dimension, string Unit)> Names = Read();

    /// <summary>Whether each of two texts measures something in a unit that the other does not have, of one dimension: kilometres here and miles there.</summary>
    public static bool Conflict(IReadOnlySet<(string Dimension, string Unit)> here, IReadOnlySet<(string Dimension, string Unit)> there) =>
        here.Count > 0 && there.Count > 0 && !here.SetEquals(there)
        && here.Except(there).Select(u => u.Dimension).Intersect(there.Except(here).Select(u => u.Dimension), StringComparer.Ordinal).Any();

    /// <summary>The units in a text.</summary>
    public static HashSet<(string Dimension, string Unit)> Of(IReadOnlyList<TextToken> tokens) =>
        [.. tokens.Where(t => t.Kind != TokenKind.Number && Names.ContainsKey(t.Text)).Select(t => Names[t.Text])];

    private static Dictionary<string, (string, string)> Read()
    {
        var names = new Dictionary<string, (string, string)>(StringComparer.Ordinal);
        foreach (var (dimension, units) in Known)
        {
            foreach (var unit in units)
            {
                foreach (var name in unit)
                {
                    names.TryAdd(name, (dimension, unit[0]));
                    names.TryAdd(name + "s", (dimension, unit[0]));
                }
            }
        }
        return names;
    }
}
