namespace SpeedupLlm.Experience;

/// <summary>A realm: a tenant's memory under one model and one prompt set.</summary>
internal readonly record struct Realm(string Tenant, string Model, string Prompt)
{
    public static Realm Of(Scope scope) => new(scope.Tenant, scope.ModelFingerprint, scope.PromptFingerprint);
}

/// <summary>Vectors that may be compared.</summary>
internal readonly record struct PartitionKey(Realm Realm, string Kind, string Embedder, int Dimensions)
{
    public const string Episodes = "";

    public static string Documents(string kind) => "document:" + kind;

    public static PartitionKey Of(Episode episode) => new(Realm.Of(episode.Scope), Episodes, episode.EmbeddingFingerprint, episode.Embedding.Length);

    public static PartitionKey Of(MemoryDocument document) =>
        new(Realm.Of(document.Scope), Documents(document.Kind), document.EmbeddingFingerprint, document.Embedding.Length);
}
