using System.Globalization;

namespace SpeedupLlm.PostgreSql.Tests;

/// <summary>What a child process does: <c>append ADDRESS PREFIX</c>, <c>lease ADDRESS NAME SECONDS</c>, or <c>work ADDRESS QUEUE HOLDER</c>.</summary>
internal static class ChildProgram
{
    private static readonly CancellationToken None = CancellationToken.None;

    public static async Task<int> Main(string[] arguments)
    {
        await using var store = await PostgreSqlStore.OpenAsync(arguments[1], null, None);
        switch (arguments[0])
        {
            case "append":
                await AppendAsync(store, arguments[2]);
                return 0;
            case "lease":
                var lease = await store.Work.LeaseAsync(arguments[2], "child", TimeSpan.FromSeconds(int.Parse(arguments[3], CultureInfo.InvariantCulture)), None);
                await Console.Out.WriteLineAsync(lease is null ? "refused" : "held");
                await Task.Delay(Timeout.Infinite);
                return 0;
            case "work":
                await WorkAsync(store, arguments[2], arguments[3]);
                return 0;
            default:
                return 2;
        }
    }

    /// <summary>Eight writers at once; a line is printed when an episode and its lesson are acknowledged, not before.</summary>
    private static Task AppendAsync(PostgreSqlStore store, string prefix) => Task.WhenAll(Enumerable.Range(0, 8).Select(writer => Task.Run(async () =>
    {
        for (var i = 0; ; i++)
        {
            var id = string.Create(CultureInfo.InvariantCulture, $"{prefix}-{writer}-{i}");
            await store.AppendAsync(Samples.Episode(id), None);
            await store.PutAsync(Samples.Document("of-" + id, id), None);
            await Console.Out.WriteLineAsync(id);
            await Console.Out.FlushAsync();
        }
    })));

    /// <summary>Does one piece after another until none is left, and prints each when it is done.</summary>
    private static async Task WorkAsync(PostgreSqlStore store, string queue, string holder)
    {
        while (true)
        {
            if (await store.Work.TakeAsync(queue, holder, TimeSpan.FromSeconds(2), int.MaxValue, None) is { } lease)
            {
                await Task.Delay(20);
                if (await store.Work.CompleteAsync(lease, lease.Payload, None))
                    await Console.Out.WriteLineAsync(lease.Name);
                continue;
            }
            if ((await store.Work.CountAsync(queue, None)) is { Free: 0, Held: 0 })
                return;
            await Task.Delay(50);
        }
    }
}
