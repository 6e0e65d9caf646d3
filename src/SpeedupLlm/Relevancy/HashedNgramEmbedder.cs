using System.Globalization;

namespace SpeedupLlm.Relevancy;

/// <summary>Embeds a text without a model or a download: hashed n-grams of words and characters (the hashing trick, arXiv 0902.2206), rare words before frequent ones.</summary>
/// <remarks>
/// Texts that differ in Unicode form, case, spaces or punctuation only have the same vector, and so have texts that differ in numbers only:
/// a number is one mask feature here, and its value is kept apart (<see cref="NumberSignature"/>). Works for every script.
/// The same text gives the same bits in every process and on every machine of one .NET version. Thread-safe; no model call is spent.
/// </remarks>
public sealed class HashedNgramEmbedder : ITextEmbedder
{
    /// <summary>Each feature goes to so many places, so that two features rarely collide in all of them.</summary>
    private const int Places = 4;

    // tried on the questions of GSM-Plus and Tariff World: without rarity the wording outweighs the name, and another firm comes first
    private const double MaskWeight = 0.15;
    private const double PairWeight = 0.3;
    private const double GramWeight = 0.25;

    /// <summary>By <see cref="FrequentWords.Rarity"/>.</summary>
    private static readonly double[] WordWeights = [0.1, 0.3, 1];

    /// <summary>An embedder.</summary>
    /// <param name="dimensions">The length of the vectors, ≥ 16. Default 256.</param>
    public HashedNgramEmbedder(int dimensions = 256)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(dimensions, 16);
        Dimensions = dimensions;
        Fingerprint = string.Create(CultureInfo.InvariantCulture, $"hashed-ngram-1/{dimensions}");
    }

    /// <inheritdoc/>
    public string Fingerprint { get; }

    /// <inheritdoc/>
    public int Dimensions { get; }

    /// <inheritdoc/>
    public ReadOnlyMemory<float> Embed(string text)
    {
        var tokens = TextTokens.Of(text);
        if (tokens.Count == 0)
            return default;
        var features = new Features();
        var before = 0.0;
        for (var i = 0; i < tokens.Count; i++)
        {
            var word = Masked(tokens[i]);
            var weight = WeightOf(tokens[i]);
            features.Add(Feature('w', word), weight);
            if (tokens[i].Kind == TokenKind.Word && weight > WordWeights[0])
                AddGrams(word, weight, features);
            if (i > 0)
                features.Add(Feature('p', Masked(tokens[i - 1]), word), PairWeight * Math.Sqrt(before * weight));
            before = weight;
        }
        return ToUnit(features);
    }

    private static double WeightOf(TextToken token) => token.Kind == TokenKind.Number ? MaskWeight : WordWeights[FrequentWords.Rarity(token.Text)];

    private static string Masked(TextToken token) => token.Kind == TokenKind.Number ? "#" : token.Text;

    /// <summary>Trigrams of a word with its bounds: inflections and slips of the pen stay near.</summary>
    private static void AddGrams(string word, double weight, Features features)
    {
        if (word.Length < 4)
            return;
        var bounded = "<" + word + ">";
        for (var i = 0; i + 3 <= bounded.Length; i++)
            features.Add(Feature('g', bounded.AsSpan(i, 3)), GramWeight * weight);
    }

    private float[] ToUnit(Features features)
    {
        var sum = new double[Dimensions];
        foreach (var (hash, weight, count) in features.InOrder())
        {
            var value = weight * Math.Sqrt(count); // the second mention says less than the first
            var bits = hash;
            for (var place = 0; place < Places; place++)
            {
                bits = Mix(bits);
                var at = (int)(((bits >> 32) * (ulong)Dimensions) >> 32);
                sum[at] += (bits & 1) == 0 ? value : -value;
            }
        }
        var norm = 0.0;
        foreach (var x in sum)
            norm += x * x;
        var unit = new float[Dimensions];
        if (norm == 0)
        {
            unit[0] = 1; // all features cancelled: as good as any direction, and the text has content
            return unit;
        }
        norm = Math.Sqrt(norm);
        for (var i = 0; i < unit.Length; i++)
            unit[i] = (float)(sum[i] / norm);
        return unit;
    }

    private static ulong Feature(char kind, ReadOnlySpan<char> text) => Fold(Fold(0xCBF2_9CE4_8422_2325, [kind]), text);

    private static ulong Feature(char kind, string first, string second) => Fold(Fold(Fold(Fold(0xCBF2_9CE4_8422_2325, [kind]), first), " "), second);

    /// <summary>FNV-1a over UTF-16 units.</summary>
    private static ulong Fold(ulong hash, ReadOnlySpan<char> text)
    {
        foreach (var c in text)
            hash = (hash ^ c) * 0x0000_0100_0000_01B3;
        return hash;
    }

    private static ulong Mix(ulong z)
    {
        z += 0x9E37_79B9_7F4A_7C15;
        z = (z ^ (z >> 30)) * 0xBF58_476D_1CE4_E5B9;
        z = (z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB;
        return z ^ (z >> 31);
    }

    /// <summary>Features with their counts, in the order of first mention: sums have an order.</summary>
    private sealed class Features
    {
        private readonly Dictionary<ulong, int> _at = [];
        private readonly List<(ulong Hash, double Weight, int Count)> _list = [];

        public void Add(ulong hash, double weight)
        {
            if (_at.TryGetValue(hash, out var at))
            {
                _list[at] = _list[at] with { Count = _list[at].Count + 1 };
                return;
            }
            _at.Add(hash, _list.Count);
            _list.Add((hash, weight, 1));
        }

        public IEnumerable<(ulong Hash, double Weight, int Count)> InOrder() => _list;
    }
}
