using Microsoft.Extensions.AI;
using SpeedupLlm.Compute;

namespace SpeedupLlm.Worlds.Riddles;

/// <summary>A world of riddles: subjects with invented names have a hidden rule; a question shows clues that narrow it, and asks what follows.</summary>
internal sealed class RiddleWorld : IWorld
{
    private const string Punctuation = ". , ? ; : =";

    private const string Words = "Try clue ok no Answer sure maybe none good bad";

    private readonly RuleBook _book;
    private readonly RiddleTexts _withMemory, _without;
    private readonly Lazy<string> _fingerprint;

    /// <param name="book">Its rules.</param>
    public RiddleWorld(RuleBook book)
    {
        _book = book;
        (_withMemory, _without) = (new(book, true), new(book, false));
        _fingerprint = new(() => WorldFingerprint.Of(this));
        Pieces =
        [
            .. Punctuation.Split(' ').Select(p => p == "=" ? " =" : p)
                .Concat(Enumerable.Range(0, 10).Select(d => " " + (char)('0' + d)))
                .Concat(Words.Split(' ').Append(book.Verb).Concat(book.Kinds.Select(k => k.Kind)).Concat(book.Words)
                    .Concat(book.Wordings.Words(heldOut: false)).Concat(book.Wordings.Words(heldOut: true)).Select(w => " " + w))
                .Concat(InventedName.Syllables.Select(s => " " + char.ToUpperInvariant(s[0]) + s[1..]))
                .Concat(InventedName.Syllables)
                .Concat(InventedName.Branches.Select(b => " " + b))
                .Concat(Filler.Sentences.SelectMany(s => s.TrimEnd('.').Split(' ')).Select(w => " " + w))
                .Distinct(StringComparer.Ordinal),
        ];
    }

    /// <inheritdoc/>
    public string Name => _book.Name;

    /// <inheritdoc/>
    public string Fingerprint => _fingerprint.Value;

    /// <inheritdoc/>
    public IReadOnlyList<string> Pieces { get; }

    /// <inheritdoc/>
    public TrainingText Sample(StreamKey stream, long index, bool withMemory) =>
        (withMemory ? _withMemory : _without).Sample(new StreamRandom(stream.Child(index)));

    /// <inheritdoc/>
    public IQuestionGroup Group(int index, Split split, StreamKey stream) => new RiddleGroup(_book, index, split, stream);

    /// <inheritdoc/>
    public bool Verify(Example example, string? final) => string.Equals(example.Expected, final, StringComparison.Ordinal);

    /// <inheritdoc/>
    public bool Understands(string questionText)
    {
        ArgumentNullException.ThrowIfNull(questionText);
        return _book.Wordings.Read(questionText.Trim()) is not null;
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<Figure>> EvaluateAsync(IChatClient model, EvaluationOptions options, IProgress<Figure>? progress, CancellationToken cancellationToken) =>
        RiddleEvaluation.RunAsync(_book, model, options, progress, cancellationToken);

    /// <inheritdoc/>
    public string Help => _book.Help;

    /// <inheritdoc/>
    public IReadOnlyList<string> HelpExamples => _book.HelpExamples;
}
