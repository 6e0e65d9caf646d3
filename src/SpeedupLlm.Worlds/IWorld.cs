using Microsoft.Extensions.AI;
using SpeedupLlm.Compute;

namespace SpeedupLlm.Worlds;

/// <summary>A small world of hidden rules: what is trained on, what is asked, and what is right. Immutable; thread-safe; pure functions of their arguments.</summary>
public interface IWorld
{
    /// <summary>The name in the catalogue.</summary>
    string Name { get; }

    /// <summary>Changes when texts or questions change; weights and results carry it. The first use takes some milliseconds.</summary>
    string Fingerprint { get; }

    /// <summary>The pieces that the tokenizer needs, each once, in a fixed order. A word in running text carries its leading space.</summary>
    IReadOnlyList<string> Pieces { get; }

    /// <summary>The training text with number <paramref name="index"/> of a stream.</summary>
    /// <param name="stream">Names the stream of texts, such as <c>StreamKey.Root(seed)</c>.</param>
    /// <param name="index">≥ 0; any order, any number of threads.</param>
    /// <param name="withMemory">False leaves past cases and lessons out of the prompts of attempts (the Novice).</param>
    TrainingText Sample(StreamKey stream, long index, bool withMemory);

    /// <summary>The group with number <paramref name="index"/> of a split.</summary>
    IQuestionGroup Group(int index, Split split, StreamKey stream);

    /// <summary>Whether a final answer (as <c>IPromptSet.Final</c> reads it; null is none) is right: exact equality, no model.</summary>
    bool Verify(Example example, string? final);

    /// <summary>What a model can do in this world, task by task. Figures are reported as they come and returned in the same order.</summary>
    /// <exception cref="ArgumentException">An option is out of range, or names an unknown part.</exception>
    Task<IReadOnlyList<Figure>> EvaluateAsync(IChatClient model, EvaluationOptions options, IProgress<Figure>? progress, CancellationToken cancellationToken);

    /// <summary>Whether a text looks like a question of this world.</summary>
    bool Understands(string questionText);

    /// <summary>What can be asked, in one or two sentences.</summary>
    string Help { get; }

    /// <summary>Questions that this world understands.</summary>
    IReadOnlyList<string> HelpExamples { get; }
}
