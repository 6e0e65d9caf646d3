using System.Collections.Concurrent;
using MathNet.Numerics.Distributions;
using MathNet.Numerics.Statistics;
using SpeedupLlm.Benchmark.Experiments;
using SpeedupLlm.Compute;
using SpeedupLlm.Experience;
using SpeedupLlm.Memory;
using SpeedupLlm.Prompts;
using SpeedupLlm.Reasoning;
using SpeedupLlm.Relevancy;
using SpeedupLlm.Scoring;
using SpeedupLlm.Worlds;

namespace SpeedupLlm.Benchmark.Calibration;

/// <summary>Measures the <see cref="AutoPrior"/> of a model: what cases do for each scaling method at each level, and how large a search is worth it, on firms of the calibration split, which are in no other.</summary>
/// <remarks>
/// A group's base question is answered without memory. Where that was accepted, one question a level follows, with the case and without it, under the
/// same streams of chance; where it was not, one with other numbers. First every attempt is scored, which says where the scorer may be left out; then
/// it is left out there, and the same questions say what that costs and gains. A search that is cut short is the full one up to there, so all sizes are
/// known from one run: accepted later than the cut counts as wrong. The cut is the one of least cost, a right answer being worth what it costs without
/// memory, that keeps at least half of the accuracy that memory gains, counting the questions that were searched in vain, and surely (one-sided 95 %) loses none.
/// </remarks>
public sealed class AutoStudy(ExperimentModel model, IWorld world)
{
    private const double Confidence = 0.95;

    // how much dearer a harmless memory may be (docs/protocol.md)
    private const double CostMargin = 0.05;

    private static readonly SimilarityLevel[] Levels = [SimilarityLevel.S2, SimilarityLevel.S3, SimilarityLevel.S4];
    private static readonly double[] Efforts = [0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1];

    /// <summary>The scaling methods that are measured, those of the paper, and their caps in operations with the compact prompts.</summary>
    private static readonly IReadOnlyList<(string Name, int Cap)> Scalings =
    [
        ("best-of-n", new BestOfNOptions().Samples),
        ("tree-of-thoughts", new TreeOfThoughtsOptions().MaxNodes),
        ("self-refine", new SelfRefineOptions().Answers),
        ("long-cot", new CompactPrompts().Solve(PromptTask.Think, Question.FromText("?"), []).MaxOutputTokens!.Value),
    ];

    /// <summary>One question, asked twice.</summary>
    private sealed record Compared(SimilarityLevel Level, Outcome With, Outcome Without);

    private sealed record Outcome(Solution Solution, bool Right)
    {
        public double Cost { get; } = (double)PriceSheet.Relative.Cost(Solution.Bill);

        public double Operations => (double)Solution.Bill.Operations;

        public double Rightness => Right ? 1 : 0;

        /// <summary>1 if it would have been right, had the search been cut; else 0.</summary>
        public double RightWithin(double operations) => Operations <= operations ? Rightness : 0;

        /// <summary>What the cut search would have cost, in proportion.</summary>
        public double CostWithin(double operations) => Operations <= operations ? Cost : Cost * operations / Operations;
    }

    /// <summary>Runs it.</summary>
    /// <param name="groups">Firms a scaling method, at least 2.</param>
    /// <param name="seed">Picks the firms.</param>
    /// <param name="cancellationToken">Ends it; nothing is kept.</param>
    public async Task<AutoPrior> RunAsync(int groups, long seed, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(groups, 2);
        var name = FormattableString.Invariant($"{world.Name}, {groups} firms of the calibration split, seed {seed}");
        var stream = StreamKey.Root(seed).Child("auto prior");
        var scored = await AskAsync(groups, stream, Open with { UnscoredDelta = null }, cancellationToken).ConfigureAwait(false);
        var bands =
            from scaling in Scalings
            from level in Levels
            let band = scored[scaling.Name].Where(c => c.Level == level).ToList()
            where band.Count > 1
            select new PriorBand(scaling.Name, level, band.Count, 0, 0, 1, true, [.. band.Select(c => c.With.Solution.FirstVerdict).OfType<bool>()]);
        var judged = new AutoPrior(name, [.. bands]) { ModelFingerprint = model.Traits.Fingerprint };
        var asked = await AskAsync(groups, stream, Open with { Measured = judged }, cancellationToken).ConfigureAwait(false);
        return judged with { Bands = [.. Scalings.SelectMany(s => new SearchSizes(s.Name, s.Cap, asked[s.Name]).Bands(judged))] };
    }

    /// <summary>Asks all questions of all groups, by scaling method.</summary>
    private async Task<IReadOnlyDictionary<string, IReadOnlyList<Compared>>> AskAsync(int groups, StreamKey stream, AutoOptions options, CancellationToken cancellationToken)
    {
        var found = new ConcurrentDictionary<(string Scaling, int Group), IReadOnlyList<Compared>>();
        var lives = from index in Enumerable.Range(0, groups) from scaling in Scalings select (scaling.Name, index);
        var memory = new Auto(options);
        await Parallel.ForEachAsync(lives, new ParallelOptions { MaxDegreeOfParallelism = 64, CancellationToken = cancellationToken }, async (life, ct) =>
            found[life] = await CompareAsync(life.Name, memory, world.Group(life.index, Split.Calibration, stream), stream.Child(life.index), ct).ConfigureAwait(false)).ConfigureAwait(false);
        return Scalings.ToDictionary(s => s.Name, IReadOnlyList<Compared> (s) => [.. Enumerable.Range(0, groups).SelectMany(g => found[(s.Name, g)])]);
    }

    private async Task<IReadOnlyList<Compared>> CompareAsync(string scaling, IMemory memory, IQuestionGroup group, StreamKey stream, CancellationToken cancellationToken)
    {
        await using var store = new InMemoryStore();
        await using var remembering = SolverOf(scaling, memory, store);
        await using var forgetful = SolverOf(scaling, null, null);
        var first = await SolveAsync(remembering, group.Base, stream.Child(0), cancellationToken).ConfigureAwait(false);
        if (!first.Solution.Accepted)
        {
            var again = await SolveAsync(forgetful, group.At(SimilarityLevel.S3, 1), stream.Child((int)SimilarityLevel.S3), cancellationToken).ConfigureAwait(false);
            return [new(SimilarityLevel.Unrelated, again, again)];
        }

        await remembering.LearnAsync(first.Solution, null, cancellationToken).ConfigureAwait(false);
        var compared = new List<Compared>();
        foreach (var level in Levels)
        {
            var asked = group.At(level, 1);
            var key = stream.Child((int)level);
            var with = await SolveAsync(remembering, asked, key, cancellationToken).ConfigureAwait(false);
            // what a question is taken for decides which band it falls into, not what it is
            if (with.Solution.Used.Hints.Count > 0)
                compared.Add(new(with.Solution.Used.Relevance.Level, with, await SolveAsync(forgetful, asked, key, cancellationToken).ConfigureAwait(false)));
        }

        return compared;
    }

    /// <summary>Cases at all levels, searches in full.</summary>
    private static AutoOptions Open { get; } = new() { Prior = [SimilarityLevel.S1, SimilarityLevel.S2, SimilarityLevel.S3, SimilarityLevel.S4], BackOff = 1 };

    private Solver SolverOf(string scaling, IMemory? memory, IExperienceStore? store) =>
        new(model.Client, new() { Scaling = Catalogue.ScalingMethods.Create(scaling), Scorer = new JudgeScorer(), Memory = memory, Store = store });

    private async ValueTask<Outcome> SolveAsync(Solver solver, Example example, StreamKey stream, CancellationToken cancellationToken)
    {
        var solution = await solver.SolveAsync(Question.FromText(example.Question, example.Id), new() { Stream = stream, CacheScope = stream.ToString() }, cancellationToken).ConfigureAwait(false);
        return new(solution, world.Verify(example, solution.Best?.Final));
    }

    /// <summary>How large a scaling method's searches should be.</summary>
    private sealed class SearchSizes(string scaling, int cap, IReadOnlyList<Compared> all)
    {
        // λ: what a right answer costs without memory, over all questions of the method
        private readonly double _price = all.Sum(c => c.Without.Cost) / Math.Max(1, all.Count(c => c.Without.Right));
        private readonly IReadOnlyList<Compared> _vain = Of(all, SimilarityLevel.Unrelated);

        public IEnumerable<PriorBand> Bands(AutoPrior judged)
        {
            // the hardest level that a search in vain bears upon decides how far searches back off; the others follow
            var (backOff, third) = (from v in Efforts from e in Efforts select (v, e)).Where(x => Keeps(SimilarityLevel.S3, x.v, x.e)).DefaultIfEmpty((v: 1, e: 1))
                .MinBy(x => Loss(_vain, x.v) + Loss(Of(all, SimilarityLevel.S3), x.e));
            foreach (var level in Levels)
            {
                var band = Of(all, level);
                if (band.Count < 2)
                    continue;
                var effort = level == SimilarityLevel.S3 ? third
                    : Efforts.Where(e => Keeps(level, level == SimilarityLevel.S4 ? 1 : backOff, e)).DefaultIfEmpty(1).MinBy(e => Loss(band, e));
                // lower in loss, surely, and in cost surely within the protocol's margin
                double Saved(Compared c) => c.Without.Cost - c.With.CostWithin(Cut(effort));
                var uses = Low(band, c => Saved(c) + (_price * Gain(c, effort))) > 0 && Low(band, Saved) >= -CostMargin * band.Average(c => c.Without.Cost);
                yield return new(scaling, level, band.Count, band.Average(c => c.With.Operations), band.Average(c => c.Without.Operations), effort, uses, judged.Find(scaling, level)?.Judged ?? []);
            }

            if (_vain.Count > 0)
                yield return new(scaling, SimilarityLevel.Unrelated, _vain.Count, _vain.Average(c => c.With.Operations), _vain.Average(c => c.Without.Operations), backOff, true, []);
        }

        /// <summary>Whether a level's questions, and those searched in vain before, surely get no less accurate, and keep half of what they gain.</summary>
        private bool Keeps(SimilarityLevel level, double backOff, double effort)
        {
            var band = level == SimilarityLevel.S4 ? Of(all, level) : [.. Of(all, level), .. _vain];
            double GainOf(Compared c) => Gain(c, c.Level == SimilarityLevel.Unrelated ? backOff : effort);
            return band.Count > 1 && ((backOff >= 1 && effort >= 1)
                || (Low(band, GainOf) >= 0 && band.Sum(GainOf) >= band.Sum(c => Gain(c, 1)) / 2));
        }

        private double Loss(IReadOnlyList<Compared> band, double effort) => band.Sum(c => c.With.CostWithin(Cut(effort)) - (_price * c.With.RightWithin(Cut(effort))));

        private double Gain(Compared c, double effort) => c.With.RightWithin(Cut(effort)) - c.Without.Rightness;

        private double Cut(double effort) => effort >= 1 ? double.PositiveInfinity : Math.Max(1, Math.Ceiling(cap * effort));

        private static IReadOnlyList<Compared> Of(IReadOnlyList<Compared> all, SimilarityLevel level) => [.. all.Where(c => c.Level == level)];

        /// <summary>The lower end of a one-sided interval of a mean.</summary>
        private static double Low(IReadOnlyList<Compared> band, Func<Compared, double> of)
        {
            var values = band.Select(of).ToArray();
            return values.Mean() - (StudentT.InvCDF(0, 1, values.Length - 1, Confidence) * values.StandardDeviation() / Math.Sqrt(values.Length));
        }
    }
}
