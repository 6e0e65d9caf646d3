using System.Globalization;
using System.Numerics;

namespace SpeedupLlm.Scoring.Answers;

/// <summary>An exact number: 0.1 and 1/10 are the same, 0.333 and 1/3 are not.</summary>
internal readonly record struct Rational
{
    /// <summary>Longer numbers are texts: parsing them costs more than any answer is worth.</summary>
    private const int MostDigits = 1000;

    private Rational(BigInteger numerator, BigInteger denominator)
    {
        Numerator = numerator;
        Denominator = denominator;
    }

    /// <summary>With the sign.</summary>
    public BigInteger Numerator { get; }

    /// <summary>Positive, without a common factor; 1 for whole numbers.</summary>
    public BigInteger Denominator { get; }

    /// <summary>A fraction in lowest terms, or null for a denominator of 0.</summary>
    public static Rational? Of(BigInteger numerator, BigInteger denominator)
    {
        if (denominator.IsZero)
            return null;
        var common = BigInteger.GreatestCommonDivisor(numerator, denominator) * denominator.Sign;
        return new(numerator / common, denominator / common);
    }

    /// <summary>A whole number.</summary>
    public static Rational Of(BigInteger number) => new(number, BigInteger.One);

    /// <summary>A decimal of ASCII digits, perhaps with thousands commas and one point, times a power of ten; null if it is none or too long.</summary>
    public static Rational? Parse(string digits, int exponent = 0)
    {
        digits = digits.Replace(",", "", StringComparison.Ordinal);
        var point = digits.IndexOf('.', StringComparison.Ordinal);
        var places = point < 0 ? 0 : digits.Length - point - 1;
        if (digits.Length > MostDigits || Math.Abs(exponent) > MostDigits
            || !BigInteger.TryParse(digits.Replace(".", "", StringComparison.Ordinal), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return null;
        var power = exponent - places;
        return power >= 0 ? Of(number * BigInteger.Pow(10, power)) : Of(number, BigInteger.Pow(10, -power));
    }

    public static Rational operator +(Rational a, Rational b) =>
        Of(a.Numerator * b.Denominator + b.Numerator * a.Denominator, a.Denominator * b.Denominator)!.Value;

    public static Rational operator *(Rational a, Rational b) => Of(a.Numerator * b.Numerator, a.Denominator * b.Denominator)!.Value;

    public static Rational operator -(Rational a) => new(-a.Numerator, a.Denominator);

    /// <summary>Such as <c>-3</c> or <c>1/2</c>.</summary>
    public override string ToString() => Denominator.IsOne
        ? Numerator.ToString(CultureInfo.InvariantCulture)
        : string.Create(CultureInfo.InvariantCulture, $"{Numerator}/{Denominator}");
}
