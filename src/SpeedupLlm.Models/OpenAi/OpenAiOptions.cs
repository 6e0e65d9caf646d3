namespace SpeedupLlm.Models;

/// <summary>Where an OpenAI-compatible endpoint is, and how patient to be with it.</summary>
public sealed record OpenAiOptions
{
    /// <summary>The address that <c>/chat/completions</c> is under, such as <c>http://127.0.0.1:8080/v1</c>. See <see cref="ParseEndpoint"/>.</summary>
    public required Uri Endpoint { get; init; }

    /// <summary>The model's name at that endpoint.</summary>
    public required string Model { get; init; }

    /// <summary>The environment variable that holds the key. Read once, when the client is made; unset or empty sends no key, which is what servers on one's own machine want.</summary>
    public string KeyVariable { get; init; } = "OPENAI_API_KEY";

    /// <summary>Prompt and answer together, in tokens; endpoints do not tell. Memory is trimmed to it.</summary>
    public int ContextTokens { get; init; } = 8192;

    /// <summary>The longest silence of the endpoint within one request: until a whole answer is there, or between two pieces of a stream.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How long after the first try a request may still be tried again (429, 5xx, broken connections). Zero: never.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>How often a request is tried again at most, in [0, 100].</summary>
    public int Retries { get; init; } = 6;

    /// <summary>The prompt set that the model understands best: <c>chat</c>, or <c>compact</c> for an exported Apprentice behind a server.</summary>
    public string Prompts { get; init; } = "chat";

    /// <summary>How to fine-tune, or null for not at all: it costs money, so it has to be asked for.</summary>
    public FineTuneOptions? FineTuning { get; init; }

    /// <summary>The name for scopes and manifests: endpoint and model.</summary>
    public string Fingerprint => $"openai:{Endpoint.Authority}/{Model}";

    /// <summary>Reads an address as a person types it: without a path, <c>/v1</c> is meant; a trailing <c>/chat/completions</c> is dropped.</summary>
    /// <exception cref="ArgumentException">It is no http address.</exception>
    public static Uri ParseEndpoint(string address)
    {
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
            throw new ArgumentException($"“{address}” is no endpoint; one looks like http://127.0.0.1:8080/v1.", nameof(address));
        const string operation = "/chat/completions";
        var path = uri.AbsolutePath.TrimEnd('/');
        if (path.EndsWith(operation, StringComparison.Ordinal))
            path = path[..^operation.Length];
        return new UriBuilder(uri) { Path = path.Length == 0 ? "/v1" : path, Fragment = "" }.Uri;
    }

    internal void Validate()
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(Model);
        ArgumentException.ThrowIfNullOrWhiteSpace(KeyVariable);
        ArgumentOutOfRangeException.ThrowIfLessThan(ContextTokens, 1);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(Timeout, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(Deadline, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(Retries, 0);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Retries, 100);
        FineTuning?.Validate();
    }
}
