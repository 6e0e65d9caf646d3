using System.Globalization;
using System.Numerics;
using static SpeedupLlm.Scoring.Reckoning;

namespace SpeedupLlm.Scoring;

/// <summary>Finds the arithmetic equalities of a text and recomputes them in exact fractions.</summary>
internal static class Equations
{
    private const int LongestNumber = 64;

    /// <summary>How many equalities there are, and how many of them hold. An equality has a number or an expression on both sides and an operator on at least one.</summary>
    public static (int Right, int All) Check(string text)
    {
        var (right, all) = (0, 0);
        foreach (var run in Runs(Read(text)))
        {
            var parts = Parts(run);
            for (var i = 0; i + 1 < parts.Count; i++)
            {
                if (Holds(Tail(parts[i]), Head(parts[i + 1])) is not { } holds)
                    continue;
                all++;
                right += holds ? 1 : 0;
            }
        }
        return (right, all);
    }

    private static bool? Holds(ReadOnlySpan<Token> left, ReadOnlySpan<Token> right)
    {
        if (left.IsEmpty || right.IsEmpty || !(HasOperator(left) || HasOperator(right)))
            return null;
        if (!TryReckon(left, out var exact) || !TryReckon(right, out var whole))
            return null;
        if (exact is not { } value)
            return false; // divided by zero
        if (whole is { } sum && Matches(value, sum, right.Length == 1 ? right[0].Decimals : 0))
            return true;
        if (!HasOperator(left))
            return false;
        // in a running chain the next part begins with the result of this one
        var sign = right[0] is { Kind: Kind.Operator, Symbol: '-' } ? 1 : 0;
        if (right.Length <= sign || right[sign].Kind != Kind.Number)
            return false;
        var first = right[sign];
        return Matches(value, sign == 1 ? -first.Value : first.Value, first.Decimals);
    }

    private static bool Matches(Fraction exact, Fraction said, int decimals) => said.IsSame(exact) || decimals > 0 && said.IsRounded(exact, decimals);

    private static bool HasOperator(ReadOnlySpan<Token> tokens)
    {
        foreach (var token in tokens[1..])
        {
            if (token.Kind == Kind.Operator)
                return true;
        }
        return false;
    }

    /// <summary>The longest run of reckoning at the end of a part, units left out; empty if it continues something that is not plain reckoning.</summary>
    private static Token[] Tail(IReadOnlyList<Token> part)
    {
        var taken = new List<Token>();
        var i = part.Count - 1;
        for (; i >= 0; i--)
        {
            if (IsUnit(part, i))
                continue;
            if (part[i].Kind == Kind.Word)
                break;
            taken.Add(part[i]);
        }
        taken.Reverse();
        if (i < 0)
            return [.. taken];
        // "2 x + 8": what goes before is no number
        return part[i].Letters == 1 || taken.Count > 0 && taken[0].Kind is Kind.Operator or Kind.Percent or Kind.Close ? [] : [.. taken];
    }

    /// <summary>The longest run of reckoning at the beginning of a part, units left out.</summary>
    private static Token[] Head(IReadOnlyList<Token> part)
    {
        var taken = new List<Token>();
        for (var i = 0; i < part.Count; i++)
        {
            if (IsUnit(part, i))
                continue;
            if (part[i].Letters == 1)
                return []; // "= 3 x": no number
            if (part[i].Kind == Kind.Word)
                break;
            taken.Add(part[i]);
        }
        // "17 - what is left": the reckoning goes on with something that is no number
        while (taken.Count > 0 && taken[^1].Kind is Kind.Operator or Kind.Open)
            taken.RemoveAt(taken.Count - 1);
        return [.. taken];
    }

    /// <summary>A word of several letters between a number and an operator, a bracket or the end: "3 apples + 4 apples". A single letter is a variable.</summary>
    private static bool IsUnit(IReadOnlyList<Token> part, int at) =>
        part[at] is { Kind: Kind.Word, Letters: > 1 }
        && at > 0 && part[at - 1].Kind is Kind.Number or Kind.Percent
        && (at + 1 == part.Count || part[at + 1].Kind is Kind.Operator or Kind.Close);

    private static IEnumerable<List<Token>> Runs(IEnumerable<Token> tokens)
    {
        var run = new List<Token>();
        foreach (var token in tokens)
        {
            if (token.Kind != Kind.Break)
            {
                run.Add(token);
                continue;
            }
            yield return run;
            run = [];
        }
        yield return run;
    }

    private static List<List<Token>> Parts(List<Token> run)
    {
        var parts = new List<List<Token>> { new() };
        foreach (var token in run)
        {
            if (token.Kind == Kind.Equals)
                parts.Add([]);
            else
                parts[^1].Add(token);
        }
        return parts;
    }

    private static IEnumerable<Token> Read(string text)
    {
        for (var i = 0; i < text.Length;)
        {
            var c = text[i];
            if (IsDigit(c) || c == '.' && i + 1 < text.Length && IsDigit(text[i + 1]))
            {
                var end = EndOfNumber(text, i);
                yield return NumberOf(text[i..end]);
                i = end;
            }
            else if (char.IsLetter(c))
            {
                var end = i + 1;
                while (end < text.Length && (char.IsLetter(text[end]) || text[end] is '\'' or '’'))
                    end++;
                yield return new(Kind.Word, Letters: end - i);
                i = end;
            }
            else if (IsMark(text, i, out var length))
            {
                yield return new(Kind.Break);
                i += length;
            }
            else if (c == '\\')
            {
                var end = i + 1;
                while (end < text.Length && char.IsAsciiLetter(text[end]))
                    end++;
                yield return Command(text[(i + 1)..end]);
                i = end;
            }
            else
            {
                if (Sign(c) is { } token)
                    yield return token;
                i++;
            }
        }
    }

    /// <summary>Bold marks, and the bullets of a list: a sign at the beginning of a line with a space after it.</summary>
    private static bool IsMark(string text, int at, out int length)
    {
        length = 2;
        if (text[at] == '*' && at + 1 < text.Length && text[at + 1] == '*')
            return true;
        length = 1;
        return text[at] is '-' or '*' or '+' && at + 1 < text.Length && text[at + 1] == ' '
            && string.IsNullOrWhiteSpace(text[(text.LastIndexOf('\n', at) + 1)..at]);
    }

    /// <summary>A command of LaTeX. One that is not an operator may hide a number, as a variable does.</summary>
    private static Token Command(string name) => name switch
    {
        "times" or "cdot" => new(Kind.Operator, '*'),
        "div" => new(Kind.Operator, '/'),
        _ => Variable,
    };

    private static Token Variable => new(Kind.Word, Letters: 1);

    /// <summary>Null for what says nothing: spaces and currency signs.</summary>
    private static Token? Sign(char c) => c switch
    {
        '+' => new(Kind.Operator, '+'),
        '-' or '−' or '–' => new(Kind.Operator, '-'),
        '*' or '×' or '·' or '⋅' or '∙' => new(Kind.Operator, '*'),
        '/' or '÷' => new(Kind.Operator, '/'),
        '(' or '[' => new(Kind.Open),
        ')' or ']' => new(Kind.Close),
        '%' => new(Kind.Percent),
        '=' => new(Kind.Equals),
        ' ' or '\t' or '\u00a0' or '$' or '€' or '£' or '¥' => null,
        '^' or '²' or '³' or '√' or '_' => Variable,
        _ => new(Kind.Break),
    };

    private static bool IsDigit(char c) => c is >= '0' and <= '9';

    /// <summary>Digits, thousands commas in groups of three, a point followed by digits.</summary>
    private static int EndOfNumber(string text, int from)
    {
        var i = from;
        while (i < text.Length && IsDigit(text[i]))
            i++;
        if (i - from is > 0 and <= 3)
        {
            while (i + 3 < text.Length && text[i] == ',' && IsDigit(text[i + 1]) && IsDigit(text[i + 2]) && IsDigit(text[i + 3])
                && !(i + 4 < text.Length && IsDigit(text[i + 4])))
                i += 4;
        }
        if (i + 1 < text.Length && text[i] == '.' && IsDigit(text[i + 1]))
        {
            i++;
            while (i < text.Length && IsDigit(text[i]))
                i++;
        }
        return i;
    }

    private static Token NumberOf(string text)
    {
        if (text.Length > LongestNumber)
            return new(Kind.Break); // no reckoning of a person or a model: not worth its time
        var digits = text.Replace(",", "", StringComparison.Ordinal);
        var point = digits.IndexOf('.', StringComparison.Ordinal);
        var decimals = point < 0 ? 0 : digits.Length - point - 1;
        var over = BigInteger.Parse(digits.Replace(".", "", StringComparison.Ordinal), NumberStyles.None, CultureInfo.InvariantCulture);
        return new(Kind.Number, Value: new(over, BigInteger.Pow(10, decimals)), Decimals: decimals);
    }
}
