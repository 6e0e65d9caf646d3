using System.Text.RegularExpressions;

namespace SpeedupLlm.Scoring.Answers;

/// <summary>Units of measure that answers carry. An unknown word beside a number (eggs, clips) is no unit.</summary>
internal static partial class Units
{
    /// <summary>Percent.</summary>
    public const string Percent = "percent";

    private static readonly Dictionary<string, string> Names = Build(
        "dollar: $ us$ usd dollar dollars buck bucks 美元", "cent: ¢ cent cents 美分", "euro: € eur euro euros 欧元", "pound: £ gbp pound pounds lb lbs 英镑 磅",
        "yuan: ¥ ￥ cny rmb yuan 元 块 块钱 人民币 元钱", "yen: yen jpy 日元", "rupee: ₹ inr rupee rupees",
        "percent: % percent pct 个百分点",
        "millisecond: ms millisecond milliseconds 毫秒", "second: s sec secs second seconds 秒 秒钟", "minute: min mins minute minutes 分钟",
        "hour: h hr hrs hour hours 小时 个小时 钟头", "day: day days 天 日", "week: week weeks wk wks 周 星期 个星期 个周",
        "month: month months 月 个月", "year: year years yr yrs 年 岁",
        "mm: mm millimeter millimeters millimetre millimetres 毫米", "cm: cm centimeter centimeters centimetre centimetres 厘米",
        "m: m meter meters metre metres 米", "km: km kilometer kilometers kilometre kilometres 公里 千米",
        "inch: inch inches 英寸", "foot: ft foot feet 英尺", "yard: yd yds yard yards 码", "mile: mi mile miles 英里",
        "mg: mg milligram milligrams 毫克", "g: g gram grams 克", "kg: kg kgs kilo kilos kilogram kilograms 公斤 千克", "ton: ton tons tonne tonnes 吨",
        "ounce: oz ounce ounces 盎司", "ml: ml milliliter milliliters millilitre millilitres 毫升", "liter: l liter liters litre litres 升 公升",
        "gallon: gal gallon gallons 加仑", "degree: ° degree degrees 度");

    /// <summary>Words that count without measuring: 三个, 5只.</summary>
    private const string Counters = "个個只隻头頭条條张張本支枝件位名人颗顆粒朵棵辆輛台间間座份次倍种種套双雙对對页頁句层層点點瓶杯盒箱袋块塊片根匹";

    /// <summary>The unit that the text right after a number begins with, or null.</summary>
    public static string? After(string text)
    {
        text = text.TrimStart();
        if (text.Length == 0)
            return null;
        if (Names.TryGetValue(text[..1], out var sign) && !char.IsLetter(text[0]))
            return sign;
        var match = Words().Match(text);
        if (!match.Success)
            return Chinese(text);
        var shape = match.Groups["shape"].Value.ToLowerInvariant();
        if (!Names.TryGetValue(match.Groups["unit"].Value.ToLowerInvariant(), out var unit))
            return null;
        if (shape is "sq" or "square" || match.Groups["power"].Value == "2")
            unit += "^2";
        if (shape is "cu" or "cubic" || match.Groups["power"].Value == "3")
            unit += "^3";
        return Names.TryGetValue(match.Groups["per"].Value.ToLowerInvariant(), out var per) ? $"{unit}/{per}" : unit;
    }

    /// <summary>The currency that the text right before a number ends with, or null.</summary>
    public static string? Before(string text)
    {
        text = text.TrimEnd();
        if (text.EndsWith("US$", StringComparison.OrdinalIgnoreCase))
            return "dollar";
        return text.Length > 0 && text[^1] is '$' or '€' or '£' or '¥' or '￥' or '₹' ? Names[text[^1..]] : null;
    }

    /// <summary>Whether what follows a Chinese numeral makes it a count: nothing, a unit or a counter.</summary>
    public static bool FollowsNumeral(string text) =>
        text.Length == 0 || Counters.Contains(text[0], StringComparison.Ordinal) || After(text) is not null || char.IsPunctuation(text[0]);

    private static string? Chinese(string text)
    {
        for (var length = Math.Min(4, text.Length); length > 0; length--)
        {
            if (Names.TryGetValue(text[..length], out var unit))
                return unit;
        }
        return null;
    }

    private static Dictionary<string, string> Build(params string[] lines)
    {
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in lines)
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            foreach (var name in line[(colon + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries))
                names.Add(name, line[..colon]);
        }
        return names;
    }

    [GeneratedRegex(@"^(?:US\s+|U\.S\.\s+)?(?:(?<shape>sq|square|cu|cubic)\.?\s+)?(?<unit>[A-Za-z]+)\.?(?:\^\{?(?<power>[23])\}?)?(?:\s*(?:/|\bper\b|\ban?\b)\s*(?<per>[A-Za-z]+))?(?![A-Za-z])", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Words();
}
