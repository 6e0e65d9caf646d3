using System.Numerics;

namespace SpeedupLlm.Scoring;

/// <summary>Reckons arithmetic expressions in exact fractions.</summary>
internal static class Reckoning
{
    internal enum Kind
    {
        Number,
        Operator,
        Open,
        Close,
        Percent,
        Equals,
        Word,
        Break,
    }

    /// <param name="Kind">What it is.</param>
    /// <param name="Symbol">The operator as one of + - * /.</param>
    /// <param name="Value">The number.</param>
    /// <param name="Decimals">Digits after the point.</param>
    /// <param name="Letters">Length of the word.</param>
    internal readonly record struct Token(Kind Kind, char Symbol = ' ', Fraction Value = default, int Decimals = 0, int Letters = 0);

    /// <summary>An exact number. The denominator is positive.</summary>
    internal readonly record struct Fraction(BigInteger Over, BigInteger Under)
    {
        public static Fraction operator +(Fraction a, Fraction b) => new(a.Over * b.Under + b.Over * a.Under, a.Under * b.Under);

        public static Fraction operator -(Fraction a, Fraction b) => new(a.Over * b.Under - b.Over * a.Under, a.Under * b.Under);

        public static Fraction operator *(Fraction a, Fraction b) => new(a.Over * b.Over, a.Under * b.Under);

        public static Fraction operator -(Fraction a) => new(-a.Over, a.Under);

        /// <summary>Null when dividing by zero.</summary>
        public Fraction? DividedBy(Fraction b) =>
            b.Over.IsZero ? null : b.Over.Sign < 0 ? new(-Over * b.Under, -(Under * b.Over)) : new(Over * b.Under, Under * b.Over);

        public bool IsSame(Fraction b) => Over * b.Under == b.Over * Under;

        /// <summary>Whether this is <paramref name="exact"/>, rounded to so many decimals (halves either way).</summary>
        public bool IsRounded(Fraction exact, int decimals)
        {
            var off = this - exact;
            return 2 * BigInteger.Abs(off.Over) * BigInteger.Pow(10, decimals) <= off.Under;
        }
    }

    /// <summary>False if the tokens are no expression; null for its value if it divides by zero.</summary>
    public static bool TryReckon(ReadOnlySpan<Token> tokens, out Fraction? value) => new Expression(tokens).Read(out value);

    /// <summary>Reads sums of products of numbers, brackets and signs; <c>20% of</c> is written with a star by those who reckon.</summary>
    private ref struct Expression
    {
        private const int MostBrackets = 32;
        private readonly ReadOnlySpan<Token> _tokens;
        private int _at;
        private int _depth;
        private bool _broken;
        private bool _dividedByZero;

        public Expression(ReadOnlySpan<Token> tokens) => _tokens = tokens;

        public bool Read(out Fraction? value)
        {
            var sum = Sum();
            value = _dividedByZero ? null : sum;
            return !_broken && _at == _tokens.Length;
        }

        private Fraction Sum()
        {
            var sum = Product();
            while (Next('+') || Next('-'))
            {
                var minus = _tokens[_at++].Symbol == '-';
                var other = Product();
                sum = minus ? sum - other : sum + other;
            }
            return sum;
        }

        private Fraction Product()
        {
            var product = Factor();
            while (Next('*') || Next('/'))
            {
                if (_tokens[_at++].Symbol == '*')
                {
                    product *= Factor();
                    continue;
                }
                if (product.DividedBy(Factor()) is { } quotient)
                    product = quotient;
                else if (!_broken)
                    _dividedByZero = true;
            }
            return product;
        }

        private Fraction Factor()
        {
            if (Next('-'))
            {
                _at++;
                return -Atom();
            }
            return Atom();
        }

        private Fraction Atom()
        {
            var value = Bare();
            while (_at < _tokens.Length && _tokens[_at].Kind == Kind.Percent)
            {
                _at++;
                value *= new Fraction(1, 100);
            }
            return value;
        }

        private Fraction Bare()
        {
            var none = new Fraction(0, 1);
            if (_broken || _at >= _tokens.Length)
            {
                _broken = true;
                return none;
            }
            var token = _tokens[_at++];
            if (token.Kind == Kind.Number)
                return token.Value;
            if (token.Kind != Kind.Open || ++_depth > MostBrackets)
            {
                _broken = true;
                return none;
            }
            var inner = Sum();
            _depth--;
            if (_at < _tokens.Length && _tokens[_at].Kind == Kind.Close)
                _at++;
            else
                _broken = true;
            return inner;
        }

        private readonly bool Next(char symbol) => _at < _tokens.Length && _tokens[_at].Kind == Kind.Operator && _tokens[_at].Symbol == symbol;
    }
}
