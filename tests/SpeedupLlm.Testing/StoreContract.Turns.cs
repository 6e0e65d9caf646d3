namespace SpeedupLlm.Testing;

public abstract partial class StoreContract
{
    [Fact]
    public async Task TakeTurnAsync_ManyAtOnce_OneAfterAnother()
    {
        await using var store = await OpenAsync();
        var (inside, most, done) = (0, 0, 0);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            await using var turn = await store.TakeTurnAsync(Home, "adapter", None);
            most = Math.Max(most, Interlocked.Increment(ref inside));
            await Task.Delay(5);
            Interlocked.Decrement(ref inside);
            Interlocked.Increment(ref done);
        })));
        Assert.Equal((1, 8), (most, done));
    }

    [Fact]
    public async Task TakeTurnAsync_AnotherNameOrScope_DoesNotWait()
    {
        await using var store = await OpenAsync();
        await using var held = await store.TakeTurnAsync(Home, "adapter", None);
        foreach (var (scope, name) in new[] { (Home, "lesson"), (Home with { Tenant = "away" }, "adapter"), (Home with { User = "" }, "adapter"), (Home with { Conversation = "" }, "adapter") })
            await (await store.TakeTurnAsync(scope, name, None)).DisposeAsync();
    }

    [Fact]
    public async Task TakeTurnAsync_CancelledWhileWaiting_LeavesTheLine()
    {
        await using var store = await OpenAsync();
        var held = await store.TakeTurnAsync(Home, "adapter", None);
        using var gone = new CancellationTokenSource();
        var waiting = store.TakeTurnAsync(Home, "adapter", gone.Token).AsTask();
        var next = store.TakeTurnAsync(Home, "adapter", None).AsTask();
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Assert.False(next.IsCompleted);
        await held.DisposeAsync();
        await held.DisposeAsync(); // twice is once
        await (await next).DisposeAsync();
    }
}
