using SpeedupLlm.Prompts;

namespace SpeedupLlm.Reasoning;

/// <summary>In which order a tree of thoughts is searched.</summary>
public enum TreeOrder
{
    /// <summary>Depth-first: the most promising thought is followed to its end before the next one.</summary>
    DepthFirst,

    /// <summary>Breadth-first: the best thoughts of a level are followed together (a beam).</summary>
    BreadthFirst,
}

/// <summary>Options of <see cref="TreeOfThoughts"/>.</summary>
public sealed record TreeOfThoughtsOptions
{
    /// <summary>In which order.</summary>
    public TreeOrder Order { get; init; } = TreeOrder.DepthFirst;

    /// <summary>k: steps proposed at a node, ≥ 1.</summary>
    public int Proposals { get; init; } = 3;

    /// <summary>Steps of a path at most, ≥ 1; a path that has no answer then is given up.</summary>
    public int MaxDepth { get; init; } = 6;

    /// <summary>v_min, in [0, 1]: paths valued below are pruned.</summary>
    public double MinimumValue { get; init; } = 0.25;

    /// <summary>Nodes expanded at most, ≥ 1.</summary>
    public int MaxNodes { get; init; } = 16;

    /// <summary>Whether a searched tree is grown again from the root, with new draws, while nodes are left. Paths that were seen before are not followed again.</summary>
    /// <remarks>A small k is soon searched through: without it the cap on nodes is seldom reached, and most questions end unanswered.</remarks>
    public bool Regrow { get; init; } = true;

    /// <summary>b: paths kept of a level, ≥ 1; breadth-first only.</summary>
    public int Beam { get; init; } = 3;

    /// <summary>Proposals and values asked for at once, ≥ 1.</summary>
    public int Width { get; init; } = 1;
}

/// <summary>Tree-of-Thoughts (arXiv 2305.10601): proposes steps, values the paths, follows the most promising, prunes, backtracks; stops at the first leaf that reaches τ.</summary>
/// <remarks>
/// An operation is a node expanded: one propose of k samples. Equal proposals are merged before they are valued. A path with a final answer is a leaf:
/// it becomes an attempt, visited before its siblings and scored by the run's scorer, not valued. A value that cannot be read counts as v_min.
/// Stops: threshold, cap (of nodes), exhausted (the tree is searched and not grown again, or no call comes through). Model calls: k a node, one a value (purpose score), and the scorer's.
/// </remarks>
public sealed class TreeOfThoughts : IScalingMethod
{
    private readonly TreeOfThoughtsOptions _options;

    /// <summary>Takes options.</summary>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range.</exception>
    public TreeOfThoughts(TreeOfThoughtsOptions? options = null)
    {
        _options = options ?? new();
        ArgumentOutOfRangeException.ThrowIfLessThan(_options.Proposals, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(_options.MaxDepth, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(_options.MaxNodes, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(_options.Beam, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(_options.Width, 1);
        if (!(_options.MinimumValue is >= 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(options), _options.MinimumValue, "v_min lies in [0, 1].");
    }

    /// <inheritdoc/>
    public string Name => "tree-of-thoughts";

    /// <inheritdoc/>
    public PromptTask Entry => PromptTask.Propose;

    /// <inheritdoc/>
    public ValueTask<Search> RunAsync(ISolveContext context, CancellationToken cancellationToken)
    {
        // one path must be able to reach its end
        var nodes = Math.Max(context.Recalled.Limit(_options.MaxNodes), Math.Min(_options.MaxNodes, _options.MaxDepth));
        var tree = new ThoughtTree(context, context.Stream.Child(Name), _options with { MaxNodes = nodes });
        return AttemptLoop.RunAsync(context, new()
        {
            Cap = int.MaxValue, // the tree ends by itself: at its nodes' cap, or searched
            Operations = _ => tree.Expanded,
            Draw = (index, _, ct) => tree.NextLeafAsync(index, ct),
        }, cancellationToken);
    }
}
