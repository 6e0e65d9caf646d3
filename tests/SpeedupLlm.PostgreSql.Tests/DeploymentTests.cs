using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using SpeedupLlm.Gateway.Configuration;
using YamlDotNet.Serialization;

namespace SpeedupLlm.PostgreSql.Tests;

/// <summary>The files of <c>deploy/</c>, as far as they can be tried without containers.</summary>
public sealed partial class DeploymentTests
{
    private static readonly string Folder = Path.Combine(Testing.Repository.Root, "deploy");
    private static readonly string Example = Path.Combine(Folder, "gateway.example.yaml");
    private static readonly string Text = File.ReadAllText(Path.Combine(Folder, "compose.yaml"));
    private static readonly string Proxy = File.ReadAllText(Path.Combine(Folder, "nginx.conf"));
    private static readonly Dictionary<object, object> Compose = new DeserializerBuilder().Build().Deserialize<Dictionary<object, object>>(Text);

    private static Dictionary<object, object> Service(string name) => (Dictionary<object, object>)((Dictionary<object, object>)Compose["services"])[name];

    private static List<string> Command(string service) => [.. ((List<object>)Service(service)["command"]).Cast<string>()];

    private static string After(List<string> command, string option) => command[command.IndexOf(option) + 1];

    private static Dictionary<string, string> Environment(string service) =>
        ((Dictionary<object, object>)Service(service)["environment"]).ToDictionary(v => (string)v.Key, v => (string)v.Value, StringComparer.Ordinal);

    [Fact]
    public async Task Gateway_StartedWithTheCommandAndVariablesOfTheComposeFile_Serves()
    {
        var database = new Uri(await (await PostgresServer.SharedAsync()).DatabaseAsync());
        var command = Command("gateway");
        // where things are differs outside the containers, and nothing else
        command[command.IndexOf("--urls") + 1] = "http://127.0.0.1:0";
        command[command.IndexOf("--config") + 1] = Example;
        var written = new Uri(After(command, "--store"));
        Assert.Equal(PostgresServer.User, written.UserInfo);
        command[command.IndexOf("--store") + 1] = $"postgres://{written.UserInfo}@{database.Authority}{database.AbsolutePath}{written.Query}&connect_timeout=100&Command%20Timeout=200";
        var environment = Environment("gateway").ToDictionary(v => v.Key, v => v.Value.StartsWith("${POSTGRES_PASSWORD:", StringComparison.Ordinal) ? PostgresServer.Password : v.Value, StringComparer.Ordinal);

        await using var replica = await ServingReplica.StartAsync(command, environment);

        Assert.Contains("\"ok\"", await replica.Http.GetStringAsync("/healthz"), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await replica.Http.GetAsync("/readyz")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await replica.Http.GetAsync("/v1/models")).StatusCode);
    }

    [Fact]
    public void Gateway_ItsConfiguration_IsValidAndFitsTheOtherFiles()
    {
        var options = ConfigurationFile.Read(Example);
        var command = Command("gateway");
        (options with { Urls = [After(command, "--urls")], Store = After(command, "--store") }).Validate();
        Assert.Equal(["./gateway.yaml:" + After(command, "--config") + ":ro"], ((List<object>)Service("gateway")["volumes"]).Cast<string>());
        // the variables that keys are named by must be given to the container, and those that are given must be read
        Assert.Equal(["PGPASSWORD", .. options.Upstreams.Select(u => u.KeyVariable).OfType<string>()], Environment("gateway").Keys);

        var model = Command("model");
        Assert.Equal("http://model:" + After(model, "--port") + "/v1", Assert.Single(options.Upstreams).Url.AbsoluteUri);
        Assert.Equal(Number(After(model, "--ctx-size")) / Number(After(model, "--parallel")), options.Upstreams[0].ContextTokens);

        Assert.Contains($"server gateway:{new Uri(After(command, "--urls")).Port};", Proxy, StringComparison.Ordinal);
        Assert.EndsWith(":" + Setting("listen"), (string)Assert.Single((List<object>)Service("front")["ports"]), StringComparison.Ordinal);
        Assert.True(Number(Setting("client_max_body_size").TrimEnd('m')) * 1024 * 1024 >= options.Limits.RequestBytes);
        Assert.True(Number(Setting("proxy_read_timeout").TrimEnd('s')) >= options.Limits.RequestSeconds);
        Assert.True(Number(((string)Service("gateway")["stop_grace_period"]).TrimEnd('s')) > options.Limits.ShutdownSeconds);
    }

    [Fact]
    public void Database_IsTheOneOfTheAddressAndHasRoomForTheReplicas()
    {
        var store = new Uri(After(Command("gateway"), "--store"));
        var database = Environment("postgres");
        Assert.Equal((store.UserInfo, store.AbsolutePath), (database["POSTGRES_USER"], "/" + database["POSTGRES_DB"]));
        Assert.Contains(store.Host, ((Dictionary<object, object>)Compose["services"]).Keys);
        var replicas = Number((string)((Dictionary<object, object>)Service("gateway")["deploy"])["replicas"]);
        // three of PostgreSQL's hundred are kept for whoever looks after it
        Assert.InRange(replicas * new Npgsql.NpgsqlConnectionStringBuilder(Address.Parse(store.OriginalString).ConnectionString).MaxPoolSize, 1, 97);
    }

    [Fact]
    public void Variables_OfTheComposeFile_AreInItsReadme()
    {
        var readme = File.ReadAllText(Path.Combine(Folder, "README.md"));
        Assert.All(Variables().Matches(Text), v => Assert.Contains($"echo \"{v.Groups[1].Value}=", readme, StringComparison.Ordinal));
    }

    private static int Number(string text) => int.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);

    private static string Setting(string name) => Regex.Match(Proxy, $@"\b{name} ([^;]+);", RegexOptions.None, TimeSpan.FromSeconds(1)).Groups[1].Value;

    [GeneratedRegex(@"\$\{(\w+)")]
    private static partial Regex Variables();
}
