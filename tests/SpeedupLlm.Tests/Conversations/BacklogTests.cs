using SpeedupLlm.Conversations;

namespace SpeedupLlm.Tests.Conversations;

public sealed class BacklogTests
{
    [Fact]
    public async Task TryAdd_SeveralPieces_AreDoneInOrderOneAfterAnother()
    {
        var backlog = new Backlog(10);
        var done = new List<int>();
        var gate = new TaskCompletionSource();
        for (var i = 0; i < 5; i++)
        {
            var piece = i;
            Assert.True(backlog.TryAdd(async () =>
            {
                await gate.Task;
                done.Add(piece);
            }));
        }
        Assert.Empty(done);
        gate.SetResult();
        await backlog.FlushAsync(default);
        Assert.Equal([0, 1, 2, 3, 4], done);
    }

    [Fact]
    public async Task TryAdd_MoreThanItHolds_IsRefusedUntilThereIsRoom()
    {
        var backlog = new Backlog(1);
        var gate = new TaskCompletionSource();
        Assert.True(backlog.TryAdd(() => gate.Task));
        Assert.False(backlog.TryAdd(() => Task.CompletedTask));
        gate.SetResult();
        await backlog.FlushAsync(default);
        Assert.True(backlog.TryAdd(() => Task.CompletedTask));
    }

    [Fact]
    public async Task TryAdd_PieceThatThrows_HoldsUpNothing()
    {
        var backlog = new Backlog(10);
        var done = false;
        backlog.TryAdd(() => throw new InvalidOperationException("lost"));
        backlog.TryAdd(() => Task.FromException(new InvalidOperationException("lost too")));
        backlog.TryAdd(() =>
        {
            done = true;
            return Task.CompletedTask;
        });
        await backlog.FlushAsync(default);
        Assert.True(done);
    }
}
