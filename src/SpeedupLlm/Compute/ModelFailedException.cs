namespace SpeedupLlm.Compute;

/// <summary>A model call failed. Searches go on with the attempts that came; the remedy is in the inner exception.</summary>
public sealed class ModelFailedException(CallPurpose purpose, Exception cause) : Exception(cause.Message, cause)
{
    /// <summary>What the call was for.</summary>
    public CallPurpose Purpose { get; } = purpose;
}
