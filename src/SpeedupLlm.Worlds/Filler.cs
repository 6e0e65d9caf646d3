namespace SpeedupLlm.Worlds;

/// <summary>Everyday sentences that help with nothing: the text of the placebo memory. Training texts carry pieces of it now and then, so that it is not strange to the embedded reasoner.</summary>
public static class Filler
{
    /// <summary>The sentences.</summary>
    public static IReadOnlyList<string> Sentences { get; } =
    [
        "The sun came up over the quiet town.",
        "A cat slept on the warm wall near the door.",
        "Rain fell in the night and the road was wet.",
        "The old bridge is made of grey stone.",
        "In spring the garden is full of birds.",
        "She read a long book by the window.",
        "The baker sells fresh bread in the morning.",
        "Children play near the river after school.",
        "He found a letter under the old chair.",
        "The wind moved the leaves in the garden.",
        "A slow train went past the green field.",
        "In the evening the town was quiet.",
    ];

    /// <summary>All sentences as one text.</summary>
    public static string Text { get; } = string.Join(' ', Sentences);
}
