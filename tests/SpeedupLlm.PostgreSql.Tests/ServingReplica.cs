using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace SpeedupLlm.PostgreSql.Tests;

/// <summary><c>speedup serve</c> as a process of its own, with a client of it.</summary>
internal sealed class ServingReplica : IAsyncDisposable
{
    private readonly Process _process;

    private ServingReplica(Process process, Uri address)
    {
        _process = process;
        Http = new() { BaseAddress = address, Timeout = TimeSpan.FromMinutes(5) };
    }

    public HttpClient Http { get; }

    /// <summary>Starts one on a free port.</summary>
    /// <param name="store">The database.</param>
    /// <param name="configuration">The configuration file.</param>
    public static Task<ServingReplica> StartAsync(string store, string configuration) =>
        StartAsync(["serve", "--urls", "http://127.0.0.1:0", "--store", store, "--config", configuration], new Dictionary<string, string>(StringComparer.Ordinal));

    /// <summary>Starts one with a command line of its own.</summary>
    /// <param name="arguments">What follows the program's name.</param>
    /// <param name="environment">Variables beside those of this process.</param>
    public static async Task<ServingReplica> StartAsync(IEnumerable<string> arguments, IReadOnlyDictionary<string, string> environment)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "speedup.dll"), .. arguments]) { RedirectStandardOutput = true };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        var process = Process.Start(start)!;
        const string says = "listens on ";
        string? line;
        do
            line = await process.StandardOutput.ReadLineAsync();
        while (line?.Contains(says, StringComparison.Ordinal) == false);
        Assert.True(line is not null, "The replica did not start.");
        return new(process, new(line[(line.IndexOf(says, StringComparison.Ordinal) + says.Length)..]));
    }

    /// <summary>Ends it as a crash would (SIGKILL).</summary>
    public void Kill() => _process.Kill();

    /// <summary>Asks a question.</summary>
    /// <exception cref="HttpRequestException">The replica is gone, or answered with an error.</exception>
    public Task<JsonObject> AskAsync(string question) => PostAsync("/v1/chat/completions", new()
    {
        ["model"] = "m",
        ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = question }),
    });

    /// <summary>Says that an answer was right. When this returns, the replica has acknowledged its episode.</summary>
    /// <exception cref="HttpRequestException">The replica is gone, or has no such episode.</exception>
    public Task AcknowledgeAsync(string episode) => PostAsync("/v1/speedup/feedback", new() { ["episode"] = episode, ["verdict"] = "right" });

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private async Task<JsonObject> PostAsync(string path, JsonObject body)
    {
        using var response = await Http.PostAsync(path, JsonContent.Create(body));
        response.EnsureSuccessStatusCode();
        return JsonNode.Parse(await response.Content.ReadAsStringAsync())!.AsObject();
    }
}
