namespace SpeedupLlm.Relevancy;

/// <summary>The numbers of a text in order, in lowest terms: what tells "the same question" from "the same question with other numbers".</summary>
/// <remarks>Digits of any script, thousands separators, decimals, fractions, English number words and Chinese numerals are read. Equal signatures have equal text.</remarks>
public sealed class NumberSignature : IEquatable<NumberSignature>
{
    private readonly string[] _numbers;
    private readonly string[] _sorted;

    internal NumberSignature(IEnumerable<TextToken> tokens)
    {
        _numbers = [.. tokens.Where(t => t.Kind == TokenKind.Number).Select(t => t.Text)];
        _sorted = [.. _numbers.Where(n => n != "1").Order(StringComparer.Ordinal)];
    }

    /// <summary>The numbers of a text.</summary>
    public static NumberSignature Of(string text) => new(TextTokens.Of(text));

    /// <summary>The numbers, such as <c>12</c>, <c>-3</c>, <c>5/2</c>.</summary>
    public IReadOnlyList<string> Numbers => _numbers;

    /// <summary>Whether both have the same numbers, whatever their order. Ones do not count: "one" is a pronoun as often as a number.</summary>
    public bool HasSameNumbers(NumberSignature other) => _sorted.AsSpan().SequenceEqual(other._sorted);

    /// <inheritdoc/>
    public bool Equals(NumberSignature? other) => other is not null && _numbers.AsSpan().SequenceEqual(other._numbers);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as NumberSignature);

    /// <inheritdoc/>
    public override int GetHashCode() => _numbers.Length; // short lists that are rarely keys

    /// <summary>The numbers, separated by spaces.</summary>
    public override string ToString() => string.Join(' ', _numbers);
}
