using SpeedupLlm.Prompts;

namespace SpeedupLlm.Worlds;

/// <summary>A piece of a training target.</summary>
/// <param name="Text">The text, as it stands in the target, leading space included.</param>
/// <param name="Weight">How much it is learnt, in [0, 1]; 0 is read but not learnt, such as the tariff of a try that fails.</param>
public sealed record Segment(string Text, float Weight);

/// <summary>A prompt of the library and the text that a good reasoner answers with.</summary>
/// <remarks>
/// The target is the concatenation of the segments; encode the whole and give each token the weight of the segment in which it starts
/// (segments meet at piece boundaries). The end token follows with weight 1. How much prompt tokens weigh is the trainer's business.
/// </remarks>
/// <param name="Prompt">Made by <see cref="CompactPrompts"/>.</param>
/// <param name="Target">Never empty.</param>
public sealed record TrainingText(Prompt Prompt, IReadOnlyList<Segment> Target)
{
    /// <summary>Whether the prompt's tokens may be learnt, at whatever small weight; false where it carries slips or forged reckonings.</summary>
    public bool LearnPrompt { get; init; } = true;

    /// <summary>The whole target.</summary>
    public string Text => string.Concat(Target.Select(s => s.Text));
}
