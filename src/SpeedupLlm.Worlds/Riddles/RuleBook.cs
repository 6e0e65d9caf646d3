using SpeedupLlm.Compute;

namespace SpeedupLlm.Worlds.Riddles;

/// <summary>What comes of putting a probe to a rule, worked out in words that end with the result.</summary>
/// <param name="Text">Such as <c>smith 2 guard 4 = 2 after</c>.</param>
/// <param name="Result">Such as <c>2 after</c>.</param>
internal sealed record Working(string Text, string Result)
{
    /// <summary>This working with its result replaced.</summary>
    public Working Bent(string result) => new(Text[..^Result.Length] + result, result);
}

/// <summary>What a riddle shows and asks.</summary>
/// <param name="Clues">Probes whose results the question shows.</param>
/// <param name="Asked">Probes whose results lead to the answer.</param>
internal sealed record Pose(IReadOnlyList<string> Clues, IReadOnlyList<string> Asked);

/// <summary>The rules of one world of riddles: what may be hidden, what a rule makes of a probe, what may be asked, and in which words. Stateless; thread-safe.</summary>
/// <remarks>Rules and probes are the texts that attempts write: a word is a token, and a book reads its own texts.</remarks>
internal abstract class RuleBook
{
    /// <summary>The kind of the probes of clues.</summary>
    public const string Clue = "clue";

    /// <summary>The name of the world.</summary>
    public abstract string Name { get; }

    /// <summary>What can be asked, in one or two sentences.</summary>
    public abstract string Help { get; }

    /// <summary>Questions of the world.</summary>
    public abstract IReadOnlyList<string> HelpExamples { get; }

    /// <summary>What subjects do, such as <c>hold</c> in "Orpi hold cook smith …".</summary>
    public abstract string Verb { get; }

    /// <summary>The words of questions.</summary>
    public abstract Wordings Wordings { get; }

    /// <summary>The kinds of questions and how often they are asked.</summary>
    public abstract IReadOnlyList<(string Kind, double Weight)> Kinds { get; }

    /// <summary>The words of rules, probes, workings and answers.</summary>
    public abstract IEnumerable<string> Words { get; }

    /// <summary>Every rule, each once.</summary>
    public abstract IReadOnlyList<string> All { get; }

    /// <summary>Whether a text is exactly a rule.</summary>
    public abstract bool IsRule(string text);

    /// <summary>What a rule makes of a probe of a question of some kind, or of a <see cref="Clue"/>.</summary>
    public abstract Working Work(string rule, string kind, string probe);

    /// <summary>From workings of what is asked to the answer: a sentence, where one is needed, and the answer; null if there is none.</summary>
    public abstract (string Sentence, string Answer)? Conclude(string kind, IReadOnlyList<Working> asked);

    /// <summary>Another result of the same sort, easily taken for this one.</summary>
    public abstract string WrongResult(StreamRandom random, string kind, string result);

    /// <summary>Another answer of the same sort.</summary>
    public virtual string WrongAnswer(StreamRandom random, string kind, string answer) => WrongResult(random, kind, answer);

    /// <summary>Whether a rule never occurs in training texts: about a tenth of all.</summary>
    public bool HeldOut(string rule) => StableHash.Of(Name + " " + rule) % 10 == 0;

    /// <summary>A rule of the prior, which is skewed, so that a first guess is not hopeless; and words that may stand for one another everywhere are told apart late.</summary>
    public string Draw(StreamRandom random, Share share) => Draw(() => Draw(random), share);

    /// <summary>The rule of another branch: it shares a part with <paramref name="rule"/> and is mostly another.</summary>
    public string DrawKin(StreamRandom random, Share share, string rule) => Draw(() => DrawKin(random, rule), share);

    /// <summary>
    /// Clues and what is asked. All rules that explain the clues and give an answer give the same one, so that checking the clues is a reliable judge.
    /// Null if none was found in some tries.
    /// </summary>
    public abstract Pose? TryPose(StreamRandom random, string rule, string kind);

    protected abstract string Draw(StreamRandom random);

    protected abstract string DrawKin(StreamRandom random, string rule);

    private string Draw(Func<string> draw, Share share)
    {
        while (true)
        {
            var rule = draw();
            if (share == Share.All || HeldOut(rule) == (share == Share.HeldOut))
                return rule;
        }
    }
}
