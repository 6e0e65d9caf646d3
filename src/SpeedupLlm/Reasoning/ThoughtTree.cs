using Microsoft.Extensions.AI;
using SpeedupLlm.Compute;
using SpeedupLlm.Prompts;

namespace SpeedupLlm.Reasoning;

/// <summary>The tree of one search: what is still to be followed, and how many nodes were expanded.</summary>
internal sealed class ThoughtTree
{
    private readonly ISolveContext _context;
    private readonly StreamKey _stream;
    private readonly TreeOfThoughtsOptions _options;
    private readonly Stack<Node> _open = new();
    private readonly List<Node> _nextLevel = [];
    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);
    private int _visited;
    private int _grown;
    private int _expandedBefore;
    private bool _overdrawn;

    public ThoughtTree(ISolveContext context, StreamKey stream, TreeOfThoughtsOptions options)
    {
        (_context, _stream, _options) = (context, stream, options);
        _open.Push(new("", 0, null, null));
    }

    /// <summary>A path of steps. Finish: that of the last step that the model did not end by itself, else of the last step.</summary>
    private sealed record Node(string Path, int Depth, ChatFinishReason? Finish, double? Value)
    {
        public bool IsLeaf { get; init; }

        /// <summary>The number of the first proposal here: a root that grows again goes on counting, so that a recording can tell its draws apart.</summary>
        public int FirstDraw { get; init; }
    }

    /// <summary>Nodes expanded: those for which at least one step came.</summary>
    public int Expanded { get; private set; }

    /// <summary>Searches on until the next path that has an answer.</summary>
    public async ValueTask<Drawn> NextLeafAsync(int index, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (_open.Count == 0 && !NextLevel() && !Regrow())
                return Drawn.Nothing(_overdrawn ? StopReason.Budget : StopReason.Exhausted);
            var node = _open.Pop();
            if (node.IsLeaf)
                return Drawn.Of(new(index, node.Path, _context.Prompts.Final(_context.Question, node.Path), default, node.Finish));
            if (_visited == _options.MaxNodes)
                return Drawn.Nothing(StopReason.Cap);
            await ExpandAsync(node, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Breadth-first: goes on with the best paths of the level that was just found, first of equals.</summary>
    private bool NextLevel()
    {
        var beam = _nextLevel.OrderByDescending(n => n.Value).Take(_options.Beam).ToList();
        _nextLevel.Clear();
        Push(beam);
        return beam.Count > 0;
    }

    /// <summary>Starts at the root again, unless the last tree grew nothing at all.</summary>
    private bool Regrow()
    {
        if (!_options.Regrow || _overdrawn || Expanded == _expandedBefore)
            return false;
        _expandedBefore = Expanded;
        _open.Push(new("", 0, null, null) { FirstDraw = ++_grown * _options.Proposals });
        return true;
    }

    private async ValueTask ExpandAsync(Node node, CancellationToken cancellationToken)
    {
        var steps = await ProposeAsync(node, _stream.Child(_visited++), cancellationToken).ConfigureAwait(false);
        var children = steps
            .Select(s => Child(node, s))
            .Where(c => _seen.Add(string.Join(' ', c.Path.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))))
            .ToList();
        var followed = await ValueAsync([.. children.Where(c => !c.IsLeaf && c.Depth < _options.MaxDepth)], cancellationToken).ConfigureAwait(false);
        if (_overdrawn)
        {
            // no call is left: only the answers that came already can still be looked at
            _open.Clear();
            _nextLevel.Clear();
            followed = [];
        }
        if (_options.Order == TreeOrder.BreadthFirst)
            _nextLevel.AddRange(followed);
        else
            Push([.. followed.OrderByDescending(n => n.Value)]);
        Push([.. children.Where(c => c.IsLeaf)]);
    }

    private Node Child(Node parent, Reply step)
    {
        var path = _context.Prompts.Extend(parent.Path, step.Text);
        var cut = parent.Finish is { } before && before != ChatFinishReason.Stop;
        return new(path, parent.Depth + 1, cut ? parent.Finish : step.Finish, null) { IsLeaf = _context.Prompts.IsAnswered(path) };
    }

    /// <summary>The steps that came; failed proposals are reported by the meter, and a budget that ends in the middle leaves what came before.</summary>
    private async ValueTask<IReadOnlyList<Reply>> ProposeAsync(Node node, StreamKey stream, CancellationToken cancellationToken)
    {
        var prompt = _context.Prompts.Propose(_context.Question, _context.Recalled.Hints, node.Path);
        var replies = await InWavesAsync(_options.Proposals, draw =>
            TryAskAsync(prompt, CallPurpose.Solve, stream.Child(draw), node.FirstDraw + draw, cancellationToken)).ConfigureAwait(false);
        var steps = replies.OfType<Reply>().ToList();
        Expanded += steps.Count > 0 ? 1 : 0;
        return [.. steps.Where(s => !string.IsNullOrWhiteSpace(s.Text))];
    }

    /// <summary>The paths worth following, with their values.</summary>
    private async ValueTask<IReadOnlyList<Node>> ValueAsync(IReadOnlyList<Node> paths, CancellationToken cancellationToken)
    {
        var stream = _stream.Child(_visited - 1).Child("value");
        var values = await InWavesAsync(paths.Count, i => TryAskAsync(
            _context.Prompts.Value(_context.Question, paths[i].Path), CallPurpose.Score, stream.Child(i), 0, cancellationToken)).ConfigureAwait(false);
        return [.. paths
            .Select((path, i) => path with { Value = values[i] is { } reply ? _context.Prompts.ReadValue(reply.Text).Value ?? _options.MinimumValue : _options.MinimumValue })
            .Where(path => path.Value >= _options.MinimumValue)];
    }

    private async Task<Reply?> TryAskAsync(Prompt prompt, CallPurpose purpose, StreamKey stream, int draw, CancellationToken cancellationToken)
    {
        if (_overdrawn)
            return null;
        try
        {
            return await _context.AskAsync(prompt, purpose, stream, draw, null, cancellationToken).ConfigureAwait(false);
        }
        catch (ModelFailedException)
        {
            return null;
        }
        catch (BudgetExceededException)
        {
            _overdrawn = true;
            return null;
        }
    }

    private async Task<List<Reply?>> InWavesAsync(int count, Func<int, Task<Reply?>> ask)
    {
        var replies = new List<Reply?>();
        while (replies.Count < count)
            replies.AddRange(await Task.WhenAll(Enumerable.Range(replies.Count, Math.Min(_options.Width, count - replies.Count)).Select(ask).ToList()).ConfigureAwait(false));
        return replies;
    }

    private void Push(IReadOnlyList<Node> nodes)
    {
        for (var i = nodes.Count - 1; i >= 0; i--)
            _open.Push(nodes[i]);
    }
}
