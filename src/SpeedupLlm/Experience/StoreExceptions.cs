namespace SpeedupLlm.Experience;

/// <summary>The store cannot keep what it is given: the disk is full, read-only or failing. Questions are still answered. Remedy: free the disk, or give the store another place.</summary>
/// <param name="store">Where the store is.</param>
/// <param name="reason">What is wrong, in a few words.</param>
/// <param name="inner">The cause.</param>
public sealed class StoreDegradedException(string store, string reason, Exception? inner = null)
    : Exception($"The store {store} keeps nothing new: {reason}.", inner)
{
    /// <summary>Where the store is.</summary>
    public string Store { get; } = store;

    /// <summary>What is wrong, in a few words.</summary>
    public string Reason { get; } = reason;
}

/// <summary>The store was written by a newer version of this program. Nothing was changed. Remedy: update the program.</summary>
/// <param name="store">Where the store is.</param>
/// <param name="found">The format it has.</param>
/// <param name="supported">The newest format that this program reads.</param>
public sealed class StoreFormatException(string store, long found, long supported)
    : Exception(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"The store {store} has format {found}, and this program reads formats up to {supported}: use a newer program."))
{
    /// <summary>Where the store is.</summary>
    public string Store { get; } = store;

    /// <summary>The format it has.</summary>
    public long Found { get; } = found;

    /// <summary>The newest format that this program reads.</summary>
    public long Supported { get; } = supported;
}

/// <summary>The file is no store, or is damaged. It was left as it is. Remedy: restore a copy, or move the file away and start anew.</summary>
/// <param name="store">Where the store is.</param>
/// <param name="reason">What is wrong, in a few words.</param>
/// <param name="inner">The cause.</param>
public sealed class StoreCorruptException(string store, string reason, Exception? inner = null)
    : Exception($"The store {store} cannot be read ({reason}); the file was kept as it is.", inner)
{
    /// <summary>Where the store is.</summary>
    public string Store { get; } = store;
}
