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
/// A group's base question is answered without memory, and learnt: as it was answered where that was accepted, else from a worked solution. Then one
/// question a level is asked with that case and without it, under the same streams of chance. First every attempt is scored, which says where the scorer
/// may be left out; then it is left out there, and the same questions say what that costs and gains. A search that is cut short is the full one up to
/// there, so all sizes are known from one run: accepted later than the cut counts as wrong.
/// A case that had to be told is of a harder kind of question than one that was solved; each has rows of its own.
/// How far searches back off where one was in vain is a matter of price, where cases make up for it: a right answer is worth what it costs without memory. From the full search
/// downwards each size is then tested for being no less accurate than the full search without a case (one-sided 95 %), by itself and together with the
/// questions that are searched in vain, until one fails: fixed-sequence testing (arXiv 2110.01052) keeps the chance of any wrong cut to 5 %. The last
/// one that passes costs least. A case is used from the first question on where it then saves full cost on average, and surely costs at most 5 % more.
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

    // what was asked without memory is the same in both rounds
    private readonly ConcurrentDictionary<(string Scaling, string Question), Lazy<Task<Outcome>>> _withoutMemory = [];

    /// <summary>One question, asked twice. At <see cref="SimilarityLevel.Unrelated"/> it is one whose kind was searched in vain.</summary>
    /// <param name="Level">The level that the case was taken for.</param>
    /// <param name="IsTold">Whether the case had to be told.</param>
    /// <param name="With">With the case.</param>
    /// <param name="Without">Without it.</param>
    private sealed record Compared(SimilarityLevel Level, bool IsTold, Outcome With, Outcome Without);

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
        var scored = await AskAsync("scored", groups, stream, Open with { UnscoredDelta = null }, cancellationToken).ConfigureAwait(false);
        var bands =
            from scaling in Scalings
            from level in Levels
            from told in (bool[])[false, true]
            let band = Rows(scored[scaling.Name], level, told)
            where band.Count > 1
            select new PriorBand(scaling.Name, level, told, band.Count, 0, 0, 1, true, [.. band.Select(c => c.With.Solution.FirstVerdict).OfType<bool>()]);
        var judged = new AutoPrior(name, [.. bands]) { ModelFingerprint = model.Traits.Fingerprint };
        var asked = await AskAsync("unscored", groups, stream, Open with { Measured = judged }, cancellationToken).ConfigureAwait(false);
        return judged with { Bands = [.. Scalings.SelectMany(s => new SearchSizes(s.Name, s.Cap, asked[s.Name]).Bands(judged))] };
    }

    /// <summary>Asks all questions of all groups, by scaling method.</summary>
    private async Task<IReadOnlyDictionary<string, IReadOnlyList<Compared>>> AskAsync(string round, int groups, StreamKey stream, AutoOptions options, CancellationToken cancellationToken)
    {
        var found = new ConcurrentDictionary<(string Scaling, int Group), IReadOnlyList<Compared>>();
        var lives = from index in Enumerable.Range(0, groups) from scaling in Scalings select (scaling.Name, index);
        var memory = new Auto(options);
        await Parallel.ForEachAsync(lives, new ParallelOptions { MaxDegreeOfParallelism = 64, CancellationToken = cancellationToken }, async (life, ct) =>
            found[life] = await CompareAsync(round, life.Name, memory, world.Group(life.index, Split.Calibration, stream), stream.Child(life.index), ct).ConfigureAwait(false)).ConfigureAwait(false);
        return Scalings.ToDictionary(s => s.Name, IReadOnlyList<Compared> (s) => [.. Enumerable.Range(0, groups).SelectMany(g => found[(s.Name, g)])]);
    }

    private async Task<IReadOnlyList<Compared>> CompareAsync(string round, string scaling, IMemory memory, IQuestionGroup group, StreamKey stream, CancellationToken cancellationToken)
    {
        await using var store = new InMemoryStore();
        await using var remembering = SolverOf(scaling, memory, store);
        var first = await WithoutMemoryAsync(scaling, group.Base, stream.Child(0), cancellationToken).ConfigureAwait(false);
        var inVain = !first.Solution.Accepted;
        var learnt = await remembering.LearnAsync(first.Solution, inVain ? Feedback.Reference(group.Base.WorkedSolution) : null, cancellationToken).ConfigureAwait(false);
        var isTold = await store.GetEpisodeAsync(first.Solution.Scope.Tenant, learnt.Episode, cancellationToken).ConfigureAwait(false) is { IsTold: true };
        var compared = new List<Compared>();
        foreach (var level in Levels)
        {
            var asked = group.At(level, 1);
            var key = stream.Child((int)level);
            var with = await SolveAsync(remembering, asked, key, $"{round}/{scaling}", cancellationToken).ConfigureAwait(false);
            var without = await WithoutMemoryAsync(scaling, asked, key, cancellationToken).ConfigureAwait(false);
            // what a question is taken for decides which band it falls into, not what it is
            if (with.Solution.Used.Hints.Count > 0)
                compared.Add(new(with.Solution.Used.Relevance.Level, isTold, with, without));
            if (inVain && level == SimilarityLevel.S3)
                compared.Add(new(SimilarityLevel.Unrelated, false, without, without));
        }

        return compared;
    }

    private Task<Outcome> WithoutMemoryAsync(string scaling, Example example, StreamKey stream, CancellationToken cancellationToken) =>
        _withoutMemory.GetOrAdd((scaling, example.Id), _ => new(async () =>
        {
            await using var forgetful = SolverOf(scaling, null, null);
            return await SolveAsync(forgetful, example, stream, $"without/{scaling}", cancellationToken).ConfigureAwait(false);
        })).Value;

    private static IReadOnlyList<Compared> Rows(IReadOnlyList<Compared> all, SimilarityLevel level, bool told) => [.. all.Where(c => c.Level == level && c.IsTold == told)];

    /// <summary>Cases at all levels, searches in full.</summary>
    private static AutoOptions Open { get; } = new() { Prior = [SimilarityLevel.S1, SimilarityLevel.S2, SimilarityLevel.S3, SimilarityLevel.S4], BackOff = 1 };

    private Solver SolverOf(string scaling, IMemory? memory, IExperienceStore? store) =>
        new(model.Client, new() { Scaling = Catalogue.ScalingMethods.Create(scaling), Scorer = new JudgeScorer(), Memory = memory, Store = store });

    /// <param name="solver">Who answers.</param>
    /// <param name="example">What is asked.</param>
    /// <param name="stream">Chance.</param>
    /// <param name="arm">Sets its prefix cache apart: what one arm has read, another has not.</param>
    /// <param name="cancellationToken">Cancels.</param>
    private async ValueTask<Outcome> SolveAsync(Solver solver, Example example, StreamKey stream, string arm, CancellationToken cancellationToken)
    {
        var solution = await solver.SolveAsync(Question.FromText(example.Question, example.Id), new() { Stream = stream, CacheScope = $"{arm}/{stream}" }, cancellationToken).ConfigureAwait(false);
        return new(solution, world.Verify(example, solution.Best?.Final));
    }

    /// <summary>What is to be done with a kind of case.</summary>
    private sealed record BandPlan(IReadOnlyList<Compared> Band, double Effort, bool Uses);

    /// <summary>How large a scaling method's searches should be.</summary>
    private sealed class SearchSizes(string scaling, int cap, IReadOnlyList<Compared> all)
    {
        // what a right answer costs without memory, over all questions of the method
        private readonly double _price = all.Sum(c => c.Without.Cost) / Math.Max(1, all.Count(c => c.Without.Right));
        private readonly IReadOnlyList<Compared> _vain = Rows(all, SimilarityLevel.Unrelated, false);

        public IEnumerable<PriorBand> Bands(AutoPrior judged)
        {
            // as far as the price says, while the cases at S2 and S3 are used and make up for it
            var backOff = Efforts
                .Where(v => v >= 1 || (Plan(SimilarityLevel.S2, false, v) is { Uses: true } && Plan(SimilarityLevel.S3, false, v) is { Uses: true }))
                .MinBy(v => _vain.Sum(c => c.With.CostWithin(Cut(v)) - (_price * c.With.RightWithin(Cut(v)))));
            foreach (var (level, told) in from level in Levels from told in (bool[])[false, true] select (level, told))
            {
                if (Plan(level, told, backOff) is { } plan)
                {
                    yield return new(scaling, level, told, plan.Band.Count, plan.Band.Average(c => Math.Min(c.With.Operations, Cut(plan.Effort))), plan.Band.Average(c => c.Without.Operations),
                        plan.Effort, plan.Uses, judged.Find(scaling, level, told)?.Judged ?? []);
                }
            }

            if (_vain.Count > 0)
                yield return new(scaling, SimilarityLevel.Unrelated, false, _vain.Count, _vain.Average(c => c.With.Operations), _vain.Average(c => c.Without.Operations), backOff, true, []);
        }

        /// <summary>The smallest search with a case before the first that is not safe, and whether it pays; null where too little was asked.</summary>
        private BandPlan? Plan(SimilarityLevel level, bool told, double backOff)
        {
            var band = Rows(all, level, told);
            if (band.Count < 2)
                return null;
            // a search in vain bears on the same kind of question only, and where solutions are told none stays in vain
            var sizes = Efforts.Reverse().TakeWhile(e => IsSafe(band, e) && (told || level == SimilarityLevel.S4 || IsSafe(band, e, backOff))).ToList();
            if (sizes.Count == 0)
                return new(band, 1, false);
            var cut = Cut(sizes[^1]);
            double Saved(Compared c) => c.Without.Cost - c.With.CostWithin(cut);
            return new(band, sizes[^1], band.Average(Saved) > 0 && Low(band, Saved) >= -CostMargin * band.Average(c => c.Without.Cost));
        }

        /// <summary>Whether searches of a size are surely no less accurate than full ones without a case, those in vain counted along where a back-off is given.</summary>
        private bool IsSafe(IReadOnlyList<Compared> band, double effort, double? backOff = null)
        {
            double[] gains =
            [
                .. band.Select(c => c.With.RightWithin(Cut(effort)) - c.Without.Rightness),
                .. backOff is { } vain ? _vain.Select(c => c.With.RightWithin(Cut(vain)) - c.Without.Rightness) : [],
            ];
            return gains.Length > 1 && Low(gains, g => g) >= 0;
        }

        private double Cut(double effort) => effort >= 1 ? double.PositiveInfinity : Math.Max(1, Math.Ceiling(cap * effort));

        /// <summary>The lower end of a one-sided interval of a mean.</summary>
        private static double Low<T>(IReadOnlyList<T> band, Func<T, double> of)
        {
            var values = band.Select(of).ToArray();
            return values.Mean() - (StudentT.InvCDF(0, 1, values.Length - 1, Confidence) * values.StandardDeviation() / Math.Sqrt(values.Length));
        }
    }
}
