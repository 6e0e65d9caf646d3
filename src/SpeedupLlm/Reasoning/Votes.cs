namespace SpeedupLlm.Reasoning;

/// <summary>Counts which attempts agree. A class of answers is known by its first member; of equal classes the one that was there first leads.</summary>
internal sealed class Votes(ISolveContext context)
{
    private readonly List<(string Answer, int First, int Count)> _classes = [];
    private readonly List<int?> _classOf = [];

    /// <summary>The class of each attempt, in order; null for attempts without an answer, which have no vote.</summary>
    public IReadOnlyList<int?> ClassOf => _classOf;

    /// <summary>Votes of the leading class.</summary>
    public int Leading => _classes.Count == 0 ? 0 : _classes.Max(c => c.Count);

    /// <summary>Votes of the class after it.</summary>
    public int Second => _classes.Count < 2 ? 0 : _classes.OrderByDescending(c => c.Count).ElementAt(1).Count;

    /// <summary>The first attempt of the leading class, or null if nobody voted.</summary>
    public int? Winner => _classes.Count == 0 ? null : _classes.MaxBy(c => c.Count).First;

    /// <summary>Votes of the class that an attempt is in.</summary>
    public int CountOf(int attempt) => _classOf[attempt] is { } c ? _classes[c].Count : 0;

    /// <summary>Counts the attempts that are new.</summary>
    public async ValueTask AddAsync(IReadOnlyList<Attempt> attempts, CancellationToken cancellationToken)
    {
        for (var i = _classOf.Count; i < attempts.Count; i++)
            _classOf.Add(await ClassifyAsync(attempts[i].Final, i, cancellationToken).ConfigureAwait(false));
    }

    private async ValueTask<int?> ClassifyAsync(string? answer, int attempt, CancellationToken cancellationToken)
    {
        if (string.IsNullOrWhiteSpace(answer))
            return null;
        for (var c = 0; c < _classes.Count; c++)
        {
            if (await context.Answers.AreEquivalentAsync(_classes[c].Answer, answer, context, cancellationToken).ConfigureAwait(false))
            {
                _classes[c] = _classes[c] with { Count = _classes[c].Count + 1 };
                return c;
            }
        }
        _classes.Add((answer, attempt, 1));
        return _classes.Count - 1;
    }
}
