using System.Diagnostics;
using System.Runtime.InteropServices;

namespace SpeedupLlm.Gateway.Tests;

/// <summary><c>speedup serve</c> as a process.</summary>
public sealed class ServeCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("speedup-serve-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static Process Start(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])[Path.Combine(AppContext.BaseDirectory, "speedup.dll"), "serve", .. arguments])
            start.ArgumentList.Add(argument);
        return Process.Start(start)!;
    }

    [Fact]
    public async Task Serve_WithoutAnyConfiguration_AnswersTheLineItPrintsAndStopsCleanly()
    {
        using var server = Start("--urls", "http://127.0.0.1:0", "--store", Path.Combine(_folder, "experience.db"));
        string? line;
        var said = new List<string>();
        while ((line = await server.StandardOutput.ReadLineAsync()) is not null && !line.Contains("curl", StringComparison.Ordinal))
            said.Add(line);
        Assert.NotNull(line);
        var body = line[(line.IndexOf("-d '", StringComparison.Ordinal) + 4)..^1];
        var address = line.Trim().Split(' ')[1];

        using var http = new HttpClient();
        using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        using var response = await http.PostAsync(address, content);
        var reply = await Reply.OfAsync(response);
        Assert.Equal(0, Kill(server.Id, 15));
        await server.WaitForExitAsync();

        Assert.Equal(200, reply.Status);
        Assert.Equal("embedded", (string?)reply.Json["model"]);
        Assert.NotEmpty(reply.Content!);
        Assert.Equal(0, server.ExitCode);
        Assert.Contains(said, l => l.Contains("embedded", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("mode: sideways", "mode")]
    [InlineData("urls: ['http://0.0.0.0:1']", "no keys")]
    public async Task Serve_WithAWrongConfiguration_SaysSoInOneLine(string text, string says)
    {
        var file = Path.Combine(_folder, "gateway.yaml");
        await File.WriteAllTextAsync(file, text);
        using var server = Start("--config", file, "--validate");
        var error = await server.StandardError.ReadToEndAsync();
        await server.WaitForExitAsync();
        Assert.Equal(2, server.ExitCode);
        Assert.Contains(says, Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Kill(int process, int signal);
}
