using System.Text.RegularExpressions;
using Microsoft.Extensions.AI;
using SpeedupLlm.Compute;

namespace SpeedupLlm.Worlds.Tariffs;

/// <summary>Tariff World (arithmetic): firms with invented names charge by a hidden tariff over two quantities; a question shows two past bills and asks for a price.</summary>
public sealed partial class TariffWorld : IWorld
{
    private readonly TrainingTexts _withMemory = new(true), _without = new(false);
    private readonly Lazy<string> _fingerprint;

    /// <summary>The world.</summary>
    public TariffWorld() => _fingerprint = new(() => WorldFingerprint.Of(this));

    /// <inheritdoc/>
    public string Name => "tariff";

    /// <inheritdoc/>
    public string Fingerprint => _fingerprint.Value;

    /// <inheritdoc/>
    public IReadOnlyList<string> Pieces => Vocabulary.Pieces;

    /// <inheritdoc/>
    public TrainingText Sample(StreamKey stream, long index, bool withMemory) =>
        (withMemory ? _withMemory : _without).Sample(new StreamRandom(stream.Child(index)));

    /// <inheritdoc/>
    public IQuestionGroup Group(int index, Split split, StreamKey stream) => new TariffGroup(index, split, stream);

    /// <inheritdoc/>
    public bool Verify(Example example, string? final) => string.Equals(example.Expected, final, StringComparison.Ordinal);

    /// <inheritdoc/>
    public Task<IReadOnlyList<Figure>> EvaluateAsync(IChatClient model, EvaluationOptions options, IProgress<Figure>? progress, CancellationToken cancellationToken) =>
        TariffEvaluation.RunAsync(model, options, progress, cancellationToken);

    /// <inheritdoc/>
    public bool Understands(string questionText)
    {
        ArgumentNullException.ThrowIfNull(questionText);
        // two bills of three numbers each, but for an order's total that may be asked for; and one service's two units
        return Numbers().Count(questionText) >= 7
            && Service.All.Any(s => Named(questionText, s.X) && Named(questionText, s.Y));
    }

    /// <inheritdoc/>
    public string Help =>
        "I answer questions about firms with hidden tariffs: name a firm and what it does, show two past bills, and ask for a price, "
        + "for the difference of two orders, for the cheaper of two orders, or for how much a total buys.";

    /// <inheritdoc/>
    public IReadOnlyList<string> HelpExamples { get; } =
    [
        "Orpi North posts parcels. 4 km and 3 kg cost 22. 2 km and 7 kg cost 30. What do 5 km and 5 kg cost?",
        "Kalo rents boats. 2 hours and 3 seats cost 14. 5 hours and 1 seat cost 16. How many hours with 2 seats cost 14?",
        "Mupita West prints books. 3 pages and 2 copies cost 12. 4 pages and 6 copies cost 26. Which is cheaper, first 5 pages and 5 copies or second 6 pages and 3 copies?",
    ];

    private static bool Named(string text, Unit unit) =>
        Regex.IsMatch(text, $@"\b(?:{unit.One}|{unit.Many})\b", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase, TimeSpan.FromSeconds(1));

    [GeneratedRegex(@"\d+", RegexOptions.CultureInvariant)]
    private static partial Regex Numbers();
}
