using System.CommandLine;
using System.Globalization;
using SpeedupLlm.Gateway;
using SpeedupLlm.Gateway.Configuration;
using SpeedupLlm.Gateway.Tenants;
using SpeedupLlm.Models;
using SpeedupLlm.Worlds;

namespace SpeedupLlm.Cli.Commands;

/// <summary><c>speedup serve</c>: any client that speaks OpenAI's API gets answers that become cheaper with experience.</summary>
internal static class ServeCommand
{
    public static Command Create(TimeProvider clock)
    {
        Option<string?> urls = new("--urls") { Description = "Where to listen, separated by semicolons. Default: http://127.0.0.1:8080." };
        Option<string?> store = StoreSource.Option();
        Option<string?> config = new("--config") { Description = "A configuration file, YAML or JSON: upstreams, keys, modes, limits (docs/gateway.md)." };
        Option<bool> validate = new("--validate") { Description = "Checks the configuration and ends." };
        var command = new Command("serve", "Serves OpenAI's API: point a client at it, and its answers become cheaper with experience.") { urls, store, config, validate };
        command.Subcommands.Add(NewKey());
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var options = parsed.GetValue(config) is { } file ? ConfigurationFile.Read(DataSource.Existing(file)) : new();
            if (parsed.GetValue(urls) is { } given)
                options = options with { Urls = given.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) };
            if (parsed.GetValue(store) is { } path)
                options = options with { Store = path };
            options.Validate();
            if (parsed.GetValue(validate))
            {
                Console.WriteLine($"{parsed.GetValue(config) ?? "the default configuration"} is valid");
                return 0;
            }
            await ServeAsync(options, clock, cancellationToken).ConfigureAwait(false);
            return 0;
        });
        return command;
    }

    private static Command NewKey()
    {
        var command = new Command("new-key", "Makes a key for a tenant, and the hash of it that the configuration wants.");
        command.SetAction(_ =>
        {
            var key = ApiKey.New();
            Console.WriteLine($"key   {key}");
            Console.WriteLine($"hash  {ApiKey.HashOf(key)}");
            return 0;
        });
        return command;
    }

    private static async Task ServeAsync(GatewayOptions options, TimeProvider clock, CancellationToken cancellationToken)
    {
        await using var store = await StoreSource.OpenForServerAsync(options.Store, cancellationToken).ConfigureAwait(false);
        await using var model = options.Upstreams.Count == 0 ? ModelSource.Open(ModelSource.Embedded, null, 1, 1) : null;
        var parts = new GatewayParts
        {
            Store = store,
            Embedded = model is null ? null : new(ModelSource.Embedded, model.Client),
            Connect = static (upstream, name) => new OpenAiChatClient(new()
            {
                Endpoint = upstream.Url,
                Model = name,
                KeyVariable = upstream.KeyVariable ?? "SPEEDUP_NO_KEY",
                ContextTokens = upstream.ContextTokens,
                Timeout = TimeSpan.FromSeconds(upstream.TimeoutSeconds),
                Retries = 0,
            }),
            Explain = Explain,
            Clock = clock,
        };
        await using var server = await GatewayServer.StartAsync(options, parts, cancellationToken).ConfigureAwait(false);
        Announce(server.Addresses, options, StoreSource.NameOf(store, options.Store));
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var stop = cancellationToken.UnsafeRegister(static source => ((TaskCompletionSource)source!).SetResult(), stopped);
        await stopped.Task.ConfigureAwait(false);
        Console.WriteLine("stopping: what runs is finished");
        await server.StopAsync(CancellationToken.None).ConfigureAwait(false);
    }

    /// <summary>What a newcomer needs: where it is, what to type, what it does.</summary>
    private static void Announce(IReadOnlyList<Uri> addresses, GatewayOptions options, string store)
    {
        var url = addresses[0].AbsoluteUri.TrimEnd('/');
        var model = options.Upstreams.Count == 0 ? ModelSource.Embedded : options.Upstreams[0].Models.Count > 0 ? options.Upstreams[0].Models[0] : "MODEL";
        var question = options.Upstreams.Count == 0 ? WorldCatalogue.All[0].HelpExamples[0] : "How many minutes are 3.5 hours?";
        Console.WriteLine($"SpeedupLLM listens on {string.Join(", ", addresses.Select(a => a.AbsoluteUri.TrimEnd('/')))}");
        Console.WriteLine($"  model   {(options.Upstreams.Count == 0 ? "embedded: small, and for questions of its own worlds" : string.Join(", ", options.Upstreams.Select(u => $"{u.Name} at {u.Url}")))}");
        Console.WriteLine($"  mode    {options.Mode.ToString().ToLowerInvariant()}: {options.Treatment.Scaling} with {options.Treatment.Memory} memory");
        Console.WriteLine($"  store   {store}");
        Console.WriteLine($"  keys    {(options.Tenants.Count == 0 ? "none: programs on this machine only" : string.Create(CultureInfo.InvariantCulture, $"{options.Tenants.Sum(t => t.Keys.Count)} of {options.Tenants.Count} tenants"))}");
        Console.WriteLine($"  watch   {url}/");
        Console.WriteLine("Try, twice:");
        Console.WriteLine($$"""  curl {{url}}/v1/chat/completions -H 'Content-Type: application/json'{{(options.Tenants.Count == 0 ? "" : " -H 'Authorization: Bearer KEY'")}} -d '{"model":"{{model}}","messages":[{"role":"user","content":"{{question}}"}]}'""");
    }

    /// <summary>What the caller hears of a failure at an endpoint.</summary>
    internal static EndpointFailure? Explain(Exception exception) => exception switch
    {
        RateLimitedException limited => new(429, limited.Message, limited.RetryAfter),
        RequestRefusedException refused => new(refused.Status is >= 400 and < 500 ? refused.Status.Value : 400, refused.Message),
        PromptTooLongException tooLong => new(400, tooLong.Message, Code: "context_length_exceeded"),
        // the key is ours, and not the caller's to mend; forwarded requests may come with one of their own
        KeyRefusedException key => new(502, key.Message) { IsOutage = false },
        UpstreamException upstream => new(502, upstream.Message, upstream.RetryAfter),
        _ => null,
    };
}
