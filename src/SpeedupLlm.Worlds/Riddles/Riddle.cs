using SpeedupLlm.Compute;

namespace SpeedupLlm.Worlds.Riddles;

/// <summary>A question about a subject with a hidden rule: clues that narrow the rule, and what is asked.</summary>
internal sealed record Riddle(RuleBook Book, InventedName Name, string Rule, string Kind, Pose Pose, int ClueWording, int AskWording)
{
    /// <summary>The text that is asked.</summary>
    public string Text => Book.Wordings.Write(this);

    /// <summary>The final answer.</summary>
    public string Answer => Conclude(Rule)?.Answer ?? throw new InvalidOperationException("A riddle's own rule answers it.");

    /// <summary>What a rule makes of a clue.</summary>
    public Working Check(string rule, int clue) => Book.Work(rule, RuleBook.Clue, Pose.Clues[clue]);

    /// <summary>What the question says of a clue.</summary>
    public string Given(int clue) => Check(Rule, clue).Result;

    /// <summary>What a rule makes of all that is asked.</summary>
    public List<Working> Work(string rule) => [.. Pose.Asked.Select(a => Book.Work(rule, Kind, a))];

    /// <summary>How a rule answers; null if it gives no answer.</summary>
    public (string Sentence, string Answer)? Conclude(string rule) => Book.Conclude(Kind, Work(rule));

    /// <summary>How many of the clues a rule explains.</summary>
    public int Fits(string rule) => Enumerable.Range(0, Pose.Clues.Count).Count(i => string.Equals(Check(rule, i).Result, Given(i), StringComparison.Ordinal));

    /// <summary>Whether a rule explains all clues.</summary>
    public bool Explains(string rule) => Fits(rule) == Pose.Clues.Count;

    /// <summary>A riddle about a subject; a kind that the rule does not allow becomes another.</summary>
    public static Riddle Draw(StreamRandom random, RuleBook book, InventedName name, string rule, string? kind = null, string? not = null)
    {
        while (true)
        {
            var asked = kind ?? random.Weighted(book.Kinds);
            if (string.Equals(asked, not, StringComparison.Ordinal))
                continue;
            if (book.TryPose(random, rule, asked) is { } pose)
                return new(book, name, rule, asked, pose, random.Next(Wordings.Trained), random.Next(Wordings.Trained));
            kind = null;
        }
    }

    /// <summary>A riddle of the training distribution, or with a held-out rule.</summary>
    public static Riddle Draw(StreamRandom random, RuleBook book, Share rules = Share.Trained) => Draw(random, book, InventedName.Draw(random), book.Draw(random, rules));

    /// <summary>The same subject and kind, other clues and other things asked.</summary>
    public Riddle Again(StreamRandom random) => Draw(random, Book, Name, Rule, Kind);

    /// <summary>The same in other words of the trained ones.</summary>
    public Riddle Reworded(StreamRandom random) => this with
    {
        ClueWording = (ClueWording + random.Between(1, Wordings.Trained - 1)) % Wordings.Trained,
        AskWording = (AskWording + random.Between(1, Wordings.Trained - 1)) % Wordings.Trained,
    };

    /// <summary>A wrong rule that explains some of the clues, as many as twelve draws find; now and then one that tempts because the prompt suggests it.</summary>
    public string NearMiss(StreamRandom random, IReadOnlyList<string> tempting)
    {
        if (tempting.Count > 0 && random.Flip(.4) && random.Pick(tempting) is { } suggested && !Explains(suggested))
            return suggested;
        string? best = null;
        var most = -1;
        for (var tries = 0; tries < 12 || best is null; tries++)
        {
            var rule = Book.Draw(random, Share.Trained);
            var fits = Fits(rule);
            if (fits > most && fits < Pose.Clues.Count)
                (best, most) = (rule, fits);
        }

        return best;
    }
}
