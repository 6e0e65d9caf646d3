using System.Text.Json.Serialization;
using SpeedupLlm.Benchmark.Streaming;
using SpeedupLlm.Memory;
using SpeedupLlm.Reasoning;

namespace SpeedupLlm.Benchmark.Experiments;

/// <summary>What the system is told after it has answered.</summary>
public enum FeedbackMode
{
    /// <summary>Nothing: only what the run's own scorer accepted is learnt.</summary>
    [JsonStringEnumMemberName("none")]
    None,

    /// <summary>Whether the answer is right; right ones are learnt.</summary>
    [JsonStringEnumMemberName("verdict")]
    Verdict,

    /// <summary>Whether it is right, and a worked solution.</summary>
    [JsonStringEnumMemberName("reference")]
    Reference,
}

/// <summary>All parameters of a run. Two runs of equal settings on the same machine give the same results but for <c>time</c>.</summary>
public sealed record ExperimentSettings
{
    /// <summary>The model: <c>embedded</c>, <c>novice</c>, <c>recorded:FILE</c> or a URL.</summary>
    public string Model { get; init; } = "embedded";

    /// <summary>The model's name at its endpoint, or null.</summary>
    public string? ModelName { get; init; }

    /// <summary>Which trained model of its kind, from 1.</summary>
    public int Checkpoint { get; init; } = 1;

    /// <summary>The questions: a world's name, or <c>gsm-plus:FILE</c>, <c>jsonl:FILE</c>, <c>recorded:FILE</c>.</summary>
    public string Data { get; init; } = "tariff";

    /// <summary>Scaling methods, in order.</summary>
    public IReadOnlyList<string> Scaling { get; init; } = ["best-of-n", "tree-of-thoughts", "self-refine", "long-cot"];

    /// <summary>Memories, in order; <c>none</c> is always among them, since the others are measured against it.</summary>
    public IReadOnlyList<string> Memory { get; init; } = ["none", "sft", "in-context", "reflect", "multi-reflect", "reflect-update"];

    /// <summary>Similarity levels, in order.</summary>
    public IReadOnlyList<string> Similarity { get; init; } = ["S1", "S2", "S3", "S4"];

    /// <summary>Who scores attempts.</summary>
    public string Scorer { get; init; } = "judge";

    /// <summary>τ: an attempt with at least this score is accepted. Any number from 0; above 1 nothing is accepted.</summary>
    public double Tau { get; init; } = 0.5;

    /// <summary>N of Best-of-N and Self-Consistency, ≥ 1.</summary>
    public int Samples { get; init; } = new BestOfNOptions().Samples;

    /// <summary>k of Tree-of-Thoughts: steps proposed at a node, ≥ 1.</summary>
    public int Width { get; init; } = new TreeOfThoughtsOptions().Proposals;

    /// <summary>Steps of a path of Tree-of-Thoughts at most, ≥ 1.</summary>
    public int Depth { get; init; } = new TreeOfThoughtsOptions().MaxDepth;

    /// <summary>Nodes that Tree-of-Thoughts expands at most, ≥ 1.</summary>
    public int Nodes { get; init; } = new TreeOfThoughtsOptions().MaxNodes;

    /// <summary>Answers that Self-Refine writes at most, the first counted, ≥ 1.</summary>
    public int Refinements { get; init; } = new SelfRefineOptions().Answers;

    /// <summary>Tokens of Long CoT's thought at most, ≥ 1; null is the cap of the prompt set (480 in the compact one).</summary>
    public int? Thinking { get; init; }

    /// <summary>Calls that a search makes at once, ≥ 1 (Best-of-N, Self-Consistency, Tree-of-Thoughts): more answer sooner and may draw past the first accepted attempt. Default 1.</summary>
    public int Waves { get; init; } = 1;

    /// <summary>The stop of Self-Consistency: <c>adaptive-consistency:P</c>, <c>esc:W</c> or <c>none</c>.</summary>
    public string Stop { get; init; } = "adaptive-consistency:0.95";

    /// <summary>What the system is told after it has answered.</summary>
    public FeedbackMode Feedback { get; init; }

    /// <summary>How many groups; null is all that the data has.</summary>
    public int? Groups { get; init; }

    /// <summary>Levels of experience after level 0.</summary>
    public int Rounds { get; init; } = 4;

    /// <summary>Above 0, memory holds verified answers of this many other groups and nothing else is learnt: what a memory costs that cannot help. Default 0.</summary>
    public int Distractors { get; init; }

    /// <summary>Cases that In-Context and its placebo put into a prompt at most, ≥ 1; null is their default.</summary>
    public int? Cases { get; init; }

    /// <summary>In-Context and its placebo leave out cases whose cosine similarity is below this, in [-1, 1]; null leaves out none.</summary>
    public double? MinimumSimilarity { get; init; }

    /// <summary>Whether <c>auto</c> searches in full always, instead of as far as experience says is worth it.</summary>
    public bool FixedBudget { get; init; }

    /// <summary>The share of the scorer's verdicts that are turned round on purpose, in [0, 1]. Default 0.</summary>
    public double JudgeError { get; init; }

    /// <summary>A workload in time order instead of the grid, or null.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public WorkloadOptions? Stream { get; init; }

    /// <summary>The seed of everything.</summary>
    public long Seed { get; init; } = 1;

    /// <summary>A smaller run of the same thing, whose figures are indicative.</summary>
    public bool Quick { get; init; }

    /// <summary>Throws if a name or a number is not valid.</summary>
    /// <exception cref="UnknownNameException">A name is unknown; it lists the valid ones.</exception>
    /// <exception cref="ArgumentException">A number is out of range.</exception>
    /// <exception cref="FormatException">The stop is malformed.</exception>
    public void Validate() => Methods.Validate(this);

    /// <summary>The first scaling method, with these settings.</summary>
    public IScalingMethod ScalingMethod() => Methods.Scaling(Scaling[0], this);

    /// <summary>The first memory of the settings; null for none.</summary>
    /// <param name="prior">What <c>auto</c> is told of the model, or null.</param>
    public IMemory? MemoryOf(AutoPrior? prior) => Methods.Memory(Memory[0], this, null, prior);

    /// <summary>What differs between two settings, as "name: one, other".</summary>
    public IEnumerable<string> DifferencesTo(ExperimentSettings other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return Named().Zip(other.Named()).Where(p => p.First.Value != p.Second.Value)
            .Select(p => $"{p.First.Name}: {p.First.Value}, now {p.Second.Value}");
    }

    /// <summary>Files of earlier versions do not name the caps of Tree-of-Thoughts and Self-Refine, nor waves: they were the defaults.</summary>
    internal ExperimentSettings WithCaps()
    {
        var defaults = new ExperimentSettings();
        var all = Nodes > 0 ? this : this with { Width = defaults.Width, Depth = defaults.Depth, Nodes = defaults.Nodes, Refinements = defaults.Refinements };
        return all.Waves > 0 ? all : all with { Waves = defaults.Waves };
    }

    private IEnumerable<(string Name, string Value)> Named() =>
    [
        ("model", Model),
        ("model-name", ModelName ?? "none"),
        ("checkpoint", FormattableString.Invariant($"{Checkpoint}")),
        ("data", Data),
        ("scaling", string.Join(',', Scaling)),
        ("memory", string.Join(',', Memory)),
        ("similarity", string.Join(',', Similarity)),
        ("scorer", Scorer),
        ("tau", FormattableString.Invariant($"{Tau}")),
        ("samples", FormattableString.Invariant($"{Samples}")),
        ("width", FormattableString.Invariant($"{Width}")),
        ("depth", FormattableString.Invariant($"{Depth}")),
        ("nodes", FormattableString.Invariant($"{Nodes}")),
        ("refinements", FormattableString.Invariant($"{Refinements}")),
        ("thinking", Thinking is { } tokens ? FormattableString.Invariant($"{tokens}") : "the prompts' own"),
        ("waves", FormattableString.Invariant($"{Waves}")),
        ("stop", Stop),
        ("feedback", Feedback.ToString().ToLowerInvariant()),
        ("groups", FormattableString.Invariant($"{Groups}")),
        ("rounds", FormattableString.Invariant($"{Rounds}")),
        ("distractors", FormattableString.Invariant($"{Distractors}")),
        ("cases", Cases is { } cases ? FormattableString.Invariant($"{cases}") : "the memory's own"),
        ("minimum-similarity", MinimumSimilarity is { } least ? FormattableString.Invariant($"{least}") : "none"),
        ("fixed-budget", FixedBudget ? "yes" : "no"),
        ("judge-error", FormattableString.Invariant($"{JudgeError}")),
        ("stream", Stream?.ToString() ?? "no"),
        ("seed", FormattableString.Invariant($"{Seed}")),
        ("quick", Quick ? "yes" : "no"),
    ];
}
