using System.Diagnostics;
using System.Globalization;
using SpeedupLlm.Gateway.Tenants;
using SpeedupLlm.GatewayBenchmarks.Load;

namespace SpeedupLlm.GatewayBenchmarks.Servers;

/// <summary>Where load goes.</summary>
/// <param name="Name">Its name in the results.</param>
/// <param name="Server">The server.</param>
/// <param name="Headers">What its requests carry, each line ended.</param>
internal sealed record Target(string Name, ChildServer Server, string Headers = "")
{
    public Requests Requests(bool stream, string text = "") => new(Server.Address, Headers, stream, text);
}

/// <summary>One fake upstream, and all servers that stand in front of it. Disposing it ends them.</summary>
internal sealed class Fleet : IDisposable
{
    private const string PortkeyPackage = "@portkey-ai/gateway@1.15.2";

    private readonly string _folder = Directory.CreateTempSubdirectory("speedup-gateway-benchmark-").FullName;
    private readonly List<Target> _targets = [];

    private Fleet()
    {
    }

    /// <summary>All that were started, <c>direct</c> first.</summary>
    public IReadOnlyList<Target> Targets => _targets;

    private ChildServer Upstream => _targets[0].Server;

    /// <summary>Starts the upstream, alone.</summary>
    public static async Task<Fleet> StartAsync()
    {
        var fleet = new Fleet();
        fleet._targets.Add(new("direct", await ChildServer.StartRoleAsync(FakeUpstream.Role)));
        return fleet;
    }

    public async Task AddYarpAsync() => _targets.Add(new("yarp", await ChildServer.StartRoleAsync(BareYarp.Role, Upstream.Address.AbsoluteUri)));

    /// <summary>Installs Portkey's gateway into the temporary folder and starts it.</summary>
    public async Task AddPortkeyAsync()
    {
        using (var npm = Process.Start(new ProcessStartInfo("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent", "--prefix", _folder, PortkeyPackage]))
            ?? throw new InvalidOperationException("npm did not start."))
        {
            await npm.WaitForExitAsync();
            if (npm.ExitCode != 0)
                throw new InvalidOperationException($"npm could not install {PortkeyPackage}.");
        }
        var address = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{FreePort()}"));
        var start = Path.Combine(_folder, "node_modules", "@portkey-ai", "gateway", "build", "start-server.js");
        var server = await ChildServer.StartAsync(
            // it logs every failure with its stack
            ["sh", "-c", "exec \"$@\" 2>/dev/null", "sh", "node", start, "--headless", string.Create(CultureInfo.InvariantCulture, $"--port={address.Port}")], line => line.Contains("running", StringComparison.OrdinalIgnoreCase) ? address : null);
        _targets.Add(new("portkey", server, $"x-portkey-provider: openai\r\nx-portkey-custom-host: {Upstream.Address.AbsoluteUri}v1\r\nAuthorization: Bearer sk-any\r\n"));
    }

    /// <summary>Starts our gateway as it is shipped, on a store of its own, with a tenant's key.</summary>
    /// <param name="mode">off, observe or on.</param>
    public async Task<Target> AddGatewayAsync(string mode)
    {
        var key = ApiKey.New();
        var configuration = Path.Combine(_folder, mode + ".yaml");
        await File.WriteAllTextAsync(configuration, $"""
            urls: ["http://127.0.0.1:0"]
            mode: {mode}
            controlShare: 0
            upstreams:
              - name: fake
                url: {Upstream.Address.AbsoluteUri}v1
            tenants:
              - name: load
                keys: ["{ApiKey.HashOf(key)}"]

            """);
        const string says = "listens on ";
        var server = await ChildServer.StartAsync(
            ["dotnet", Program(), "serve", "--config", configuration, "--store", Path.Combine(_folder, mode + ".db")],
            static line => line.IndexOf(says, StringComparison.Ordinal) is >= 0 and var at ? new(line[(at + says.Length)..]) : null);
        var target = new Target(mode, server, $"Authorization: Bearer {key}\r\n");
        _targets.Add(target);
        return target;
    }

    public void Dispose()
    {
        foreach (var target in _targets.AsEnumerable().Reverse())
            target.Server.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>The command line's own output, above this program's folder.</summary>
    private static string Program()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "SpeedupLlm.slnx")))
            folder = folder.Parent ?? throw new InvalidOperationException("The benchmarks run from the repository.");
        return Path.Combine(folder.FullName, "src", "SpeedupLlm.Cli", "bin", "Release", "net10.0", "speedup.dll");
    }

    private static int FreePort()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        return ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
    }
}
