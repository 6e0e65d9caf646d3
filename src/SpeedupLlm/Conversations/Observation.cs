using SpeedupLlm.Scoring;

namespace SpeedupLlm.Conversations;

/// <summary>Tries questions with experience that were answered plainly, within a budget, and measures what that would have saved and where the answers differ. Thread-safe.</summary>
internal sealed class Observation(Solver solver, ExperienceOptions options)
{
    private readonly Backlog _shadows = new(options.Backlog);
    private readonly Lock _lock = new();
    private decimal _plain;
    private decimal _spent;

    /// <summary>Whether an answer may be kept. A filter that throws has not said yes.</summary>
    public bool MayLearn(Solution solution)
    {
        try
        {
            return options.MayLearn?.Invoke(solution) ?? true;
        }
        catch (Exception)
        {
            return false; // what it could not judge is not kept
        }
    }

    /// <summary>Tries a question in the background, if the budget allows.</summary>
    public void Observe(RequestPlan plan, string answer, decimal cost)
    {
        lock (_lock)
            _plain += cost;
        _shadows.TryAdd(async () =>
        {
            lock (_lock)
            {
                // one after another, so the budget is passed by one question at most
                if (_spent >= _plain * (decimal)options.ObserveShare)
                    return;
            }
            var solution = await solver.SolveAsync(plan.Question!, plan.Request, CancellationToken.None).ConfigureAwait(false);
            var spent = options.Solver.Prices.Cost(solution.Bill);
            if (MayLearn(solution))
                spent += options.Solver.Prices.Cost((await solver.LearnAsync(solution, null, CancellationToken.None).ConfigureAwait(false)).Bill);
            lock (_lock)
                _spent += spent;
            options.Savings.AddShadow(plan.Request.Caller!.Tenant, cost, spent, await AgreesAsync(solution, answer).ConfigureAwait(false));
        });
    }

    public Task FlushAsync(CancellationToken cancellationToken) => _shadows.FlushAsync(cancellationToken);

    /// <summary>Whether the two final answers mean the same; null if one has none.</summary>
    private async ValueTask<bool?> AgreesAsync(Solution solution, string answer) =>
        solution.Best?.Final is { } ours && solver.FinalOf(solution.Question, answer) is { } theirs
            ? await options.Solver.Answers.AreEquivalentAsync(ours, theirs, null, CancellationToken.None).ConfigureAwait(false)
            : null;
}
