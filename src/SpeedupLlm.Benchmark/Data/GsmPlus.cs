using System.Globalization;
using SpeedupLlm.Relevancy;
using SpeedupLlm.Scoring;
using SpeedupLlm.Worlds;

namespace SpeedupLlm.Benchmark.Data;

/// <summary>
/// GSM-Plus (arXiv 2402.19255): GSM8K questions with variations. A group is a seed question; the seed asked again is S1, <c>problem understanding</c> S2,
/// <c>numerical substitution</c> S3, <c>reversing operation</c> and <c>adding operation</c> S4. The other variations are not asked: they keep their own labels.
/// </summary>
public sealed class GsmPlus : IExampleSource
{
    /// <summary>What the data set says of a question that cannot be answered.</summary>
    private const string Unanswerable = "None";

    private static readonly (SimilarityLevel Level, string[] Types)[] Mapping =
    [
        (SimilarityLevel.S2, ["problem understanding"]),
        (SimilarityLevel.S3, ["numerical substitution"]),
        (SimilarityLevel.S4, ["reversing operation", "adding operation"]),
    ];

    private readonly IReadOnlyList<Seed> _seeds;

    private GsmPlus(string name, string fingerprint, IReadOnlyList<Seed> seeds, IReadOnlyDictionary<string, int> variations, IReadOnlyList<Variation> all)
    {
        All = all;
        Name = name;
        Fingerprint = fingerprint;
        _seeds = seeds;
        Variations = variations;
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public string Fingerprint { get; }

    /// <inheritdoc/>
    public int? Groups => _seeds.Count;

    /// <inheritdoc/>
    public IAnswerComparer Answers { get; } = new AnswerComparer();

    /// <summary>How many variations of each type the file has, by name.</summary>
    public IReadOnlyDictionary<string, int> Variations { get; }

    /// <summary>Every variation of the file, in its order: those that are asked, and those that keep their own labels.</summary>
    public IReadOnlyList<Variation> All { get; }

    /// <summary>Reads <c>gsm-plus:FILE</c>.</summary>
    /// <exception cref="InvalidDataException">A line is malformed, or no seed has all kinds of variation; names file, line and field.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static GsmPlus Load(string file)
    {
        var read = JsonLines.Read(file);
        var seeds = new List<Seed>();
        foreach (var group in read.Lines.GroupBy(l => l.Text("seed_question"), StringComparer.Ordinal))
        {
            var first = group.First();
            var name = Question.FromText(group.Key).Id;
            var variations = Mapping.ToDictionary(m => m.Level, m => group
                .Where(l => m.Types.Contains(Type(l)) && l.Text("answer") != Unanswerable)
                .OrderBy(l => Array.IndexOf(m.Types, Type(l)))
                .Select(l => new Example($"{name}/{Type(l).Replace(' ', '-')}", l.Text("question"), l.Text("answer"), l.Optional("solution") ?? "", "", Type(l), false)).ToList());
            var basis = new Example(name, group.Key, first.Text("seed_answer"), first.Optional("seed_solution") ?? "", "", "seed", false);
            // a lifeline needs a question at every similarity
            if (variations.Values.All(v => v.Count > 0))
                seeds.Add(new(basis, variations));
        }

        if (seeds.Count == 0)
            throw read.Bad("no seed question has a variation for each of S2, S3 and S4.");
        var counts = read.Lines.GroupBy(Type).OrderBy(g => g.Key, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.Count());
        return new("gsm-plus:" + Path.GetFileName(file), read.Fingerprint, seeds, counts,
            [.. read.Lines.Select(l => new Variation(Type(l), l.Text("question"), l.Text("answer"), l.Text("seed_question"), l.Text("seed_answer")))]);

        static string Type(JsonLine line) => line.Text("perturbation_type");
    }

    /// <inheritdoc/>
    /// <remarks>A rewording exists once: asked again it would be S1, so there is one level. The least over groups, so that all have it.</remarks>
    public int? LevelsAt(SimilarityLevel similarity) =>
        similarity == SimilarityLevel.S1 ? int.MaxValue : _seeds.Min(s => s.Variations[similarity].Count);

    /// <inheritdoc/>
    public Example At(int group, SimilarityLevel similarity, int level)
    {
        var seed = _seeds[group];
        return level == 0 ? seed.Base
            : similarity == SimilarityLevel.S1 ? seed.Base with { Id = string.Create(CultureInfo.InvariantCulture, $"{seed.Base.Id}/{level}") }
            : seed.Variations[similarity][level - 1];
    }

    /// <inheritdoc/>
    public async ValueTask<bool> IsCorrectAsync(Example example, string? final, CancellationToken cancellationToken) =>
        final is not null && await Answers.AreEquivalentAsync(example.Expected, final, null, cancellationToken).ConfigureAwait(false);

    /// <summary>A variation beside its seed.</summary>
    /// <param name="Type">How it varies, such as <c>numerical substitution</c>.</param>
    /// <param name="Question">Its text.</param>
    /// <param name="Answer">Its answer; <c>None</c> for one that cannot be answered.</param>
    /// <param name="Seed">The seed's text.</param>
    /// <param name="SeedAnswer">The seed's answer.</param>
    public sealed record Variation(string Type, string Question, string Answer, string Seed, string SeedAnswer);

    private sealed record Seed(Example Base, IReadOnlyDictionary<SimilarityLevel, List<Example>> Variations);
}
