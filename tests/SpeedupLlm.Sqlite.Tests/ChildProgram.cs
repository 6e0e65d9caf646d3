using System.Globalization;
using SpeedupLlm.Experience;

namespace SpeedupLlm.Sqlite.Tests;

/// <summary>What a child process does: <c>append FILE PREFIX COUNT</c>, <c>count FILE TIMES</c> or <c>degraded FILE</c>.</summary>
internal static class ChildProgram
{
    private static readonly CancellationToken None = CancellationToken.None;

    public static async Task<int> Main(string[] arguments)
    {
        await using var store = await SqliteStore.OpenAsync(arguments[1], new() { Busy = TimeSpan.FromSeconds(60) }, None);
        switch (arguments[0])
        {
            case "append":
                await AppendAsync(store, arguments[2], int.Parse(arguments[3], CultureInfo.InvariantCulture));
                return 0;
            case "count":
                await CountAsync(store, int.Parse(arguments[2], CultureInfo.InvariantCulture));
                return 0;
            case "degraded":
                await DegradedAsync(store);
                return 0;
            default:
                return 2;
        }
    }

    /// <summary>Four writers at once; a line is printed when an episode is acknowledged, not before.</summary>
    private static Task AppendAsync(SqliteStore store, string prefix, int count) => Task.WhenAll(Enumerable.Range(0, 4).Select(writer => Task.Run(async () =>
    {
        for (var i = 0; i < count; i++)
        {
            var id = string.Create(CultureInfo.InvariantCulture, $"{prefix}-{writer}-{i}");
            await store.AppendAsync(Samples.Episode(id), None);
            await store.PutAsync(Samples.Document("of-" + id, id), None);
            await Console.Out.WriteLineAsync(id);
            await Console.Out.FlushAsync();
            // so that kills fall into the writing of the sidecar as well
            if (i % 64 == 0)
                await store.NearestAsync(Samples.Everything, Samples.Vector(id), 3, None);
        }
    })));

    /// <summary>Counts an episode and a document up, against whoever else does.</summary>
    private static async Task CountAsync(SqliteStore store, int times)
    {
        for (var done = 0; done < times;)
        {
            var held = await store.GetAsync(Samples.Home, "counter", "c", None) ?? Samples.Document("c", kind: "counter") with { Text = "0" };
            var next = (int.Parse(held.Text, CultureInfo.InvariantCulture) + 1).ToString(CultureInfo.InvariantCulture);
            if (await store.PutAsync(held with { Text = next }, None) is null)
                continue;
            await store.UpdateEpisodeAsync("home", "counted", e => e with { Helped = e.Helped + 1 }, None);
            done++;
        }
        await Console.Out.WriteLineAsync("done");
    }

    /// <summary>Recalls from a store that cannot be written, and says how it is.</summary>
    private static async Task DegradedAsync(SqliteStore store)
    {
        var found = await store.NearestAsync(Samples.Everything, Samples.Vector("a"), 5, None);
        try
        {
            await store.AppendAsync(Samples.Episode("new"), None);
            Console.WriteLine("appended");
        }
        catch (StoreDegradedException e)
        {
            Console.WriteLine($"{found.Count} | {e.Reason} | {(await store.CheckAsync(None)).Degraded}");
        }
    }
}
