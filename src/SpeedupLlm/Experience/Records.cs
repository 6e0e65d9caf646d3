namespace SpeedupLlm.Experience;

/// <summary>Rules that every store obeys alike.</summary>
internal static class Records
{
    /// <summary>Whether a look-up in <paramref name="lookup"/> sees records of <paramref name="record"/>: a null user or conversation sees all of them.</summary>
    public static bool Covers(this Scope lookup, Scope record) =>
        string.Equals(lookup.Tenant, record.Tenant, StringComparison.Ordinal)
        && string.Equals(lookup.ModelFingerprint, record.ModelFingerprint, StringComparison.Ordinal)
        && string.Equals(lookup.PromptFingerprint, record.PromptFingerprint, StringComparison.Ordinal)
        && (lookup.User is null || string.Equals(lookup.User, record.User, StringComparison.Ordinal))
        && (lookup.Conversation is null || string.Equals(lookup.Conversation, record.Conversation, StringComparison.Ordinal));

    /// <summary>What breaks ties among equally near documents.</summary>
    public static string IdOf(MemoryDocument document) => IdOf(document.Key, document.Scope.User, document.Scope.Conversation);

    /// <summary>What breaks ties among equally near documents.</summary>
    public static string IdOf(string key, string? user, string? conversation) => $"{key}\0{user}\0{conversation}";
}
