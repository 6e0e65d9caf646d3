using SpeedupLlm.Benchmark.Data;
using SpeedupLlm.Benchmark.Rivals;
using SpeedupLlm.Memory;
using SpeedupLlm.Reasoning;
using SpeedupLlm.Scoring;
using SpeedupLlm.Worlds;

namespace SpeedupLlm.Benchmark.Experiments;

/// <summary>Makes scaling methods, memories and scorers by name with the settings of a run; what the settings do not mention keeps its default, which is the protocol's.</summary>
internal static class Methods
{
    /// <summary>Throws if a name or a number of the settings is not valid, so that a run fails before it begins.</summary>
    /// <exception cref="UnknownNameException">A name is unknown.</exception>
    /// <exception cref="ArgumentException">A number is out of range.</exception>
    /// <exception cref="FormatException">The stop is malformed.</exception>
    public static void Validate(ExperimentSettings settings)
    {
        foreach (var (name, value) in new[]
        {
            ("samples", settings.Samples), ("width", settings.Width), ("depth", settings.Depth), ("nodes", settings.Nodes),
            ("refinements", settings.Refinements), ("waves", settings.Waves), ("thinking", settings.Thinking ?? 1), ("cases", settings.Cases ?? 1),
        })
        {
            if (value < 1)
                throw new ArgumentException(FormattableString.Invariant($"{name} is at least 1, not {value}."));
        }

        foreach (var name in settings.Scaling)
            Scaling(name, settings);
        if (settings.MinimumSimilarity is not (null or (>= -1 and <= 1)))
            throw new ArgumentException(FormattableString.Invariant($"minimum-similarity is a cosine in [-1, 1], not {settings.MinimumSimilarity}."));
        if (settings.JudgeError is not (>= 0 and <= 1))
            throw new ArgumentException(FormattableString.Invariant($"judge-error is a share in [0, 1], not {settings.JudgeError}."));
        foreach (var name in settings.Memory)
            Memory(name, settings);
        Catalogue.Scorers.Create(settings.Scorer);
        ConsistencyStop.Parse(settings.Stop);
        if (double.IsNaN(settings.Tau) || settings.Tau < 0)
            throw new ArgumentException(FormattableString.Invariant($"τ is a number from 0, not {settings.Tau}."));
        if (settings.Rounds < 0)
            throw new ArgumentException("There are at least 0 rounds.");
        if (settings.Groups is < 1)
            throw new ArgumentException("There is at least 1 group.");
        if (settings.Distractors < 0)
            throw new ArgumentException("There are at least 0 distractors.");
        if (settings.Stream is { } stream)
        {
            stream.Validate();
            if (settings.Scaling.Count != 1)
                throw new ArgumentException("A stream is answered with one scaling method.");
        }

        if (settings.Checkpoint < 1)
            throw new ArgumentException("Checkpoints count from 1.");
    }

    public static IScalingMethod Scaling(string name, ExperimentSettings settings) => name switch
    {
        "best-of-n" => new BestOfN(new() { Samples = settings.Samples, Width = settings.Waves }),
        "tree-of-thoughts" => new TreeOfThoughts(new() { Proposals = settings.Width, MaxDepth = settings.Depth, MaxNodes = settings.Nodes, Width = settings.Waves }),
        "self-refine" => new SelfRefine(new() { Answers = settings.Refinements }),
        "long-cot" => new LongCot(new() { MaxTokens = settings.Thinking }),
        "self-consistency" => new SelfConsistency(new() { Samples = settings.Samples, Width = settings.Waves, Stop = ConsistencyStop.Parse(settings.Stop) }),
        _ => Catalogue.ScalingMethods.Create(name),
    };

    /// <summary>Null is the baseline: nothing is kept, nothing recalled.</summary>
    /// <param name="name">The memory.</param>
    /// <param name="settings">Their options, where the settings name any.</param>
    /// <param name="data">Gives memories that answer by themselves the prior of its kind of question; null gives none.</param>
    /// <param name="prior">What <c>auto</c> is told of the model; null tells nothing.</param>
    public static IMemory? Memory(string name, ExperimentSettings settings, IExampleSource? data = null, AutoPrior? prior = null) => name switch
    {
        NoMemory.CatalogueName => null,
        InContext.CatalogueName => new InContext(CasesOf(settings)),
        Placebo.CatalogueName => new Placebo(new() { Text = Filler.Text, Like = CasesOf(settings) }),
        AnswerCache.CatalogueName => new AnswerCache(new() { Prior = data?.ReusePrior }),
        Auto.CatalogueName => new Auto(BudgetOf(settings) with { Answers = new() { Prior = data?.ReusePrior }, Measured = prior }),
        _ => RivalCatalogue.Find(name) ?? Catalogue.Memories.Create(name),
    };

    /// <summary>The run's scorer for one question; only the oracle looks at the reference answer.</summary>
    public static IScorer Scorer(ExperimentSettings settings, Example example)
    {
        var scorer = settings.Scorer == "oracle"
            ? new OracleScorer(new() { Reference = question => question.Id == example.Id ? example.Expected : null })
            : Catalogue.Scorers.Create(settings.Scorer);
        return settings.JudgeError > 0 ? new ErringScorer(scorer, settings.JudgeError) : scorer;
    }

    private static InContextOptions CasesOf(ExperimentSettings settings)
    {
        var own = new InContextOptions();
        return own with { Cases = settings.Cases ?? own.Cases, MinimumSimilarity = settings.MinimumSimilarity ?? own.MinimumSimilarity };
    }

    private static AutoOptions BudgetOf(ExperimentSettings settings) => settings.FixedBudget ? new() { LeastEffort = 1 } : new();
}
