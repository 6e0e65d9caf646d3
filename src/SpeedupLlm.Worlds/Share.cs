namespace SpeedupLlm.Worlds;

/// <summary>Which part of what there is: what occurs in training texts, what is held out of them, or both.</summary>
internal enum Share
{
    Trained,
    HeldOut,
    All,
}
