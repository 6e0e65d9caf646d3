namespace SpeedupLlm.Compute;

/// <summary>Gives out what is left of a <see cref="Budget"/>: a call reserves the most that it can cost before it is made, and settles for what it did cost. Thread-safe.</summary>
/// <remarks>
/// Calls are served in the order of asking. A call that would fit once the open ones have settled waits for them,
/// so that waves of calls are cut or refused where single calls would be, and not because of cautious reservations.
/// A call without a cap of its own takes all tokens that are left, so a budget of tokens or money serialises such calls.
/// </remarks>
internal sealed class Allowance(Budget budget, PriceSheet prices, TimeProvider clock)
{
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly long _start = clock.GetTimestamp();
    private int _calls;
    private int _open;
    private long _tokens;
    private decimal _money;
    private long _reservedTokens;
    private decimal _reservedMoney;
    private TaskCompletionSource _settled = NewSignal();

    /// <summary>What one call holds back. It may generate at most MaxOutput tokens; null is no cap.</summary>
    internal readonly record struct Reservation(int? MaxOutput, long Tokens, decimal Money);

    /// <summary>Time that is left, or null without a cap.</summary>
    public TimeSpan? TimeLeft => budget.Time is { } time ? time - clock.GetElapsedTime(_start) : null;

    /// <summary>Reserves a call of at most <paramref name="input"/> prompt tokens that wants <paramref name="wanted"/> answer tokens (null: as many as the model likes).</summary>
    /// <remarks>A <paramref name="nested"/> call is made while another one of the same question is being read: it never waits, since that one waits for it.</remarks>
    /// <exception cref="BudgetExceededException">The call could pass a cap, even with an answer of one token.</exception>
    public async ValueTask<Reservation> ReserveAsync(long input, int? wanted, bool nested, CancellationToken cancellationToken)
    {
        if (nested)
        {
            lock (_lock)
                return TryReserve(input, wanted) ?? throw Exceeded(budget.Tokens is null ? "money" : "tokens");
        }
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            while (true)
            {
                Task settled;
                lock (_lock)
                {
                    if (TryReserve(input, wanted) is { } reservation)
                        return reservation;
                    settled = _settled.Task;
                }
                await settled.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Replaces a reservation by what the call cost.</summary>
    public void Settle(Reservation reservation, Charge charge)
    {
        TaskCompletionSource settled;
        lock (_lock)
        {
            _open--;
            _reservedTokens -= reservation.Tokens;
            _reservedMoney -= reservation.Money;
            Book(charge);
            (settled, _settled) = (_settled, NewSignal());
        }
        settled.SetResult();
    }

    /// <summary>Books what was spent without a call (training).</summary>
    public void Spend(Charge charge)
    {
        lock (_lock)
            Book(charge);
    }

    public BudgetExceededException Exceeded(string cap) => new(cap, budget);

    private void Book(Charge charge)
    {
        _tokens += charge.Input + charge.Output + charge.Trained;
        _money += prices.Cost(charge);
    }

    /// <summary>Null means: wait until an open call has settled.</summary>
    private Reservation? TryReserve(long input, int? wanted)
    {
        if (TimeLeft <= TimeSpan.Zero)
            throw Exceeded("time");
        if (_calls >= budget.Calls)
            throw Exceeded("calls");

        var (room, cap) = Room(input);
        var unlimited = room == long.MaxValue;
        if (!unlimited && _open > 0 && (wanted is null || room < wanted))
            return null;
        if (room < 1)
            throw Exceeded(cap);

        var most = unlimited ? wanted : (int)Math.Min(Math.Min(room, wanted ?? int.MaxValue), int.MaxValue);
        var reservation = new Reservation(most, input + (most ?? 0), input * Math.Max(prices.Input, prices.CachedInput) + (most ?? 0) * prices.Output);
        _calls++;
        _open++;
        _reservedTokens += reservation.Tokens;
        _reservedMoney += reservation.Money;
        return reservation;
    }

    /// <summary>How many tokens an answer may have at most, and which cap says so.</summary>
    private (long Room, string Cap) Room(long input)
    {
        var (room, cap) = (long.MaxValue, "");
        if (budget.Tokens is { } tokens)
            (room, cap) = (tokens - _tokens - _reservedTokens - input, "tokens");
        if (budget.Money is { } money)
        {
            var left = money - _money - _reservedMoney - input * Math.Max(prices.Input, prices.CachedInput);
            var affordable = left < 0 ? -1 : prices.Output > 0 ? (long)Math.Min(Math.Floor(left / prices.Output), long.MaxValue - 1) : long.MaxValue - 1;
            if (affordable < room)
                (room, cap) = (affordable, "money");
        }
        return (room, cap);
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
