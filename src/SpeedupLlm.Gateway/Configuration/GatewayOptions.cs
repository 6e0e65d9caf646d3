using Microsoft.Extensions.Logging;

namespace SpeedupLlm.Gateway.Configuration;

/// <summary>How the gateway works: what its configuration file says. Immutable.</summary>
public sealed record GatewayOptions
{
    /// <summary>The format that this program writes and reads.</summary>
    public const int CurrentFormat = 1;

    /// <summary>The version of the file's format.</summary>
    public int FormatVersion { get; init; } = CurrentFormat;

    /// <summary>Where to listen. Without keys only loopback addresses are allowed. Port 0 takes a free one. Default <c>http://127.0.0.1:8080</c>.</summary>
    public IReadOnlyList<string> Urls { get; init; } = ["http://127.0.0.1:8080"];

    /// <summary>Where experience is kept: a file or the address of a PostgreSQL database; null: a file in the user's own data folder.</summary>
    public string? Store { get; init; }

    /// <summary>How far the gateway goes. Default on.</summary>
    public ExperienceMode Mode { get; init; } = ExperienceMode.On;

    /// <summary>The share of questions that is treated in canary mode, in (0, 1). Default 0.1.</summary>
    public double CanaryShare { get; init; } = 0.1;

    /// <summary>The share of questions that one plain call answers all the same in mode on, in [0, 1): without them nobody knows what is saved. Default 0.05. The embedded reasoner has none.</summary>
    public double ControlShare { get; init; } = 0.05;

    /// <summary>What observing may cost, as a share of what the plain calls cost; above 0. Default 0.5.</summary>
    public double ObserveShare { get; init; } = 0.5;

    /// <summary>How requests are treated that do not say.</summary>
    public TreatmentOptions Treatment { get; init; } = new();

    /// <summary>Where models are. Empty: the embedded reasoner answers.</summary>
    public IReadOnlyList<UpstreamOptions> Upstreams { get; init; } = [];

    /// <summary>Who may ask. Empty: everybody on this machine, as one tenant.</summary>
    public IReadOnlyList<TenantOptions> Tenants { get; init; } = [];

    /// <summary>The hash of the key for administration; null: whoever may ask on this machine, if there are no tenants, else nobody.</summary>
    public string? AdminKey { get; init; }

    /// <summary>What protects the gateway from too much.</summary>
    public LimitOptions Limits { get; init; } = new();

    /// <summary>How long experience is kept; null: until it is forgotten. At least 1 day.</summary>
    public int? RetentionDays { get; init; }

    /// <summary>The file that administration and forgetting are written to, appended only; null: none.</summary>
    public string? AuditLog { get; init; }

    /// <summary>Where traces and metrics go by OTLP over HTTP, such as <c>http://127.0.0.1:4318</c>; null: nowhere.</summary>
    public Uri? Otlp { get; init; }

    /// <summary>The least level that is logged, as JSON lines on standard error; information logs each request. Never a prompt or an answer. Default warning.</summary>
    public LogLevel LogLevel { get; init; } = LogLevel.Warning;

    /// <summary>Checks ranges and names.</summary>
    /// <exception cref="InvalidDataException">Something is wrong; the message says where.</exception>
    public void Validate()
    {
        Check.That(FormatVersion == CurrentFormat, "formatVersion", FormattableString.Invariant($"is {FormatVersion}, and this program reads {CurrentFormat}"));
        Check.That(Urls.Count > 0, "urls", "is empty");
        foreach (var url in Urls)
            Check.That(Uri.TryCreate(url, UriKind.Absolute, out var uri) && uri.Scheme == Uri.UriSchemeHttp, "urls", $"“{url}” is no http address such as http://127.0.0.1:8080");
        Check.That(Enum.IsDefined(Mode), "mode", "is none of off, observe, canary, on");
        Check.That(CanaryShare is > 0 and < 1, "canaryShare", "is not between 0 and 1");
        Check.That(ControlShare is >= 0 and < 1, "controlShare", "is not at least 0 and below 1");
        Check.That(ObserveShare > 0 && double.IsFinite(ObserveShare), "observeShare", "is not above 0");
        Treatment.Validate("treatment");
        Check.Unique(Upstreams.Select(u => u.Name), "upstreams", "name");
        for (var i = 0; i < Upstreams.Count; i++)
            Upstreams[i].Validate(FormattableString.Invariant($"upstreams[{i}]"));
        Check.Unique(Tenants.Select(t => t.Name), "tenants", "name");
        Check.Unique([.. Tenants.SelectMany(t => t.Keys), .. AdminKey is null ? Array.Empty<string>() : [AdminKey]], "tenants", "key");
        for (var i = 0; i < Tenants.Count; i++)
            Tenants[i].Validate(FormattableString.Invariant($"tenants[{i}]"));
        if (AdminKey is not null)
            Check.KeyHash(AdminKey, "adminKey");
        Limits.Validate("limits");
        Check.That(RetentionDays is null or (>= 1 and <= 36_500), "retentionDays", "is not between 1 and 36500");
        Check.That(Otlp is null || Otlp.Scheme is "http" or "https", "otlp", "is no http address");
        if (Tenants.Count == 0)
            Check.That(Urls.All(u => new Uri(u).IsLoopback), "urls", "reaches beyond this machine, and there are no keys: configure tenants with keys, or listen on 127.0.0.1");
    }
}

/// <summary>How a question is answered and what is remembered.</summary>
public sealed record TreatmentOptions
{
    /// <summary>A scaling method of the catalogue, or <c>off</c>: forwarded as it comes. Default <c>best-of-n</c>.</summary>
    public string Scaling { get; init; } = "best-of-n";

    /// <summary>A memory of the catalogue. Default <c>auto</c>.</summary>
    public string Memory { get; init; } = "auto";

    /// <summary>A scorer of the catalogue. Default <c>judge</c>.</summary>
    public string Scorer { get; init; } = "judge";

    /// <summary>τ: an attempt with at least this score is accepted. At least 0. Default 0.5.</summary>
    public double Tau { get; init; } = 0.5;

    /// <summary>N of Best-of-N and Self-Consistency, at least 1. Default 8.</summary>
    public int Samples { get; init; } = 8;

    internal const string Off = "off";

    internal bool IsOff => Scaling == Off;

    internal void Validate(string at)
    {
        Check.Name(Scaling, [Off, .. Catalogue.ScalingMethods.Names], $"{at}.scaling");
        Check.Name(Memory, Catalogue.Memories.Names, $"{at}.memory");
        Check.Name(Scorer, [.. Catalogue.Scorers.Names.Where(n => n != "oracle")], $"{at}.scorer");
        Check.That(Tau >= 0, $"{at}.tau", "is not a number of at least 0");
        Check.That(Samples >= 1, $"{at}.samples", "is below 1");
    }
}

/// <summary>An endpoint that speaks OpenAI's API.</summary>
public sealed record UpstreamOptions
{
    /// <summary>Its name in logs and metrics.</summary>
    public required string Name { get; init; }

    /// <summary>The address that <c>/chat/completions</c> is under, such as <c>https://api.openai.com/v1</c>.</summary>
    public required Uri Url { get; init; }

    /// <summary>The models that it serves; empty: every name that no other upstream lists. Upstreams that serve the same model stand in for each other, in the order of the file.</summary>
    public IReadOnlyList<string> Models { get; init; } = [];

    /// <summary>The environment variable that holds the key. Null: without tenants the caller's own key is passed on, with tenants none is sent.</summary>
    public string? KeyVariable { get; init; }

    /// <summary>The longest silence within one answer, in seconds, at least 1. Default 600.</summary>
    public int TimeoutSeconds { get; init; } = 600;

    /// <summary>Prompt and answer together, in tokens; memory is trimmed to it. At least 1. Default 8192.</summary>
    public int ContextTokens { get; init; } = 8192;

    internal void Validate(string at)
    {
        Check.That(!string.IsNullOrWhiteSpace(Name), $"{at}.name", "is empty");
        Check.That(Url is { IsAbsoluteUri: true, Scheme: "http" or "https" }, $"{at}.url", "is no http address such as https://api.openai.com/v1");
        Check.That(Models.All(m => m.Length > 0), $"{at}.models", "has an empty name");
        Check.That(KeyVariable is null || KeyVariable.Length > 0, $"{at}.keyVariable", "is empty");
        Check.That(TimeoutSeconds is >= 1 and <= 86_400, $"{at}.timeoutSeconds", "is not between 1 and 86400");
        Check.That(ContextTokens >= 1, $"{at}.contextTokens", "is below 1");
    }
}

/// <summary>Somebody who may ask: nothing is shared between tenants.</summary>
public sealed record TenantOptions
{
    /// <summary>The name that memory is kept under; it never comes from a request.</summary>
    public required string Name { get; init; }

    /// <summary>Hashes of its keys, each <c>sha256:</c> and 64 hexadecimal digits.</summary>
    public IReadOnlyList<string> Keys { get; init; } = [];

    /// <summary>Requests a minute, over all replicas of the store; null: no limit.</summary>
    public int? RequestsPerMinute { get; init; }

    /// <summary>Full cost a day (UTC) over all replicas of the store, in uncached input tokens of the relative price sheet; null: no limit. Treated requests count.</summary>
    public decimal? CostPerDay { get; init; }

    internal void Validate(string at)
    {
        Check.That(!string.IsNullOrWhiteSpace(Name), $"{at}.name", "is empty");
        Check.That(Keys.Count > 0, $"{at}.keys", "is empty: nobody could ask");
        foreach (var key in Keys)
            Check.KeyHash(key, $"{at}.keys");
        Check.That(RequestsPerMinute is null or >= 1, $"{at}.requestsPerMinute", "is below 1");
        Check.That(CostPerDay is null or >= 0, $"{at}.costPerDay", "is negative");
    }
}

/// <summary>What protects the gateway from too much.</summary>
public sealed record LimitOptions
{
    /// <summary>The longest request in bytes, in [1, 1 GiB]. Default 32 MiB.</summary>
    public int RequestBytes { get; init; } = 32 * 1024 * 1024;

    /// <summary>Requests at once, at least 1. Default 1024.</summary>
    public int Concurrent { get; init; } = 1024;

    /// <summary>Requests that wait for their turn, at least 0; more are refused with 429. Default 1024.</summary>
    public int Queue { get; init; } = 1024;

    /// <summary>How long a treated request may take, in seconds, at least 1. Default 600.</summary>
    public int RequestSeconds { get; init; } = 600;

    /// <summary>How long after the first try a forwarded request may be tried again, in seconds, at least 0. Default 20.</summary>
    public int RetrySeconds { get; init; } = 20;

    /// <summary>The silence after which a waiting stream gets a comment, in seconds, at least 1. Default 5.</summary>
    public int KeepAliveSeconds { get; init; } = 5;

    /// <summary>The largest N that a request may ask for, at least 1. Default 64.</summary>
    public int Samples { get; init; } = 64;

    /// <summary>How long running requests may go on when the server is stopped, in seconds, at least 0. Default 30.</summary>
    public int ShutdownSeconds { get; init; } = 30;

    internal void Validate(string at)
    {
        Check.That(RequestBytes is >= 1 and <= 1 << 30, $"{at}.requestBytes", "is not between 1 and 1073741824");
        Check.That(Concurrent >= 1, $"{at}.concurrent", "is below 1");
        Check.That(Queue >= 0, $"{at}.queue", "is negative");
        Check.That(RequestSeconds is >= 1 and <= 86_400, $"{at}.requestSeconds", "is not between 1 and 86400");
        Check.That(RetrySeconds is >= 0 and <= 86_400, $"{at}.retrySeconds", "is not between 0 and 86400");
        Check.That(KeepAliveSeconds is >= 1 and <= 3600, $"{at}.keepAliveSeconds", "is not between 1 and 3600");
        Check.That(Samples >= 1, $"{at}.samples", "is below 1");
        Check.That(ShutdownSeconds is >= 0 and <= 3600, $"{at}.shutdownSeconds", "is not between 0 and 3600");
    }
}
