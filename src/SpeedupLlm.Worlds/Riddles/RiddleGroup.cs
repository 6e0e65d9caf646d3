using System.Globalization;
using SpeedupLlm.Compute;
using SpeedupLlm.Relevancy;

namespace SpeedupLlm.Worlds.Riddles;

/// <summary>One stem and its branches: the riddles of a lifeline.</summary>
internal sealed class RiddleGroup : IQuestionGroup
{
    private readonly Riddle _base;
    private readonly StreamKey _stream;
    private readonly Split _split;
    private readonly string _id;

    public RiddleGroup(RuleBook book, int index, Split split, StreamKey stream)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        var name = split.ToString().ToLowerInvariant();
        _split = split;
        _stream = stream.Child(book.Name).Child(name).Child(index);
        _id = string.Create(CultureInfo.InvariantCulture, $"{book.Name}/{name}/{index}");
        var random = new StreamRandom(_stream.Child("base"));
        _base = Riddle.Draw(random, book, InventedName.Draw(random, split), book.Draw(random, Share.All));
        Base = Made(_base, "base");
    }

    /// <summary>The same subject after a change of the whole rule.</summary>
    private RiddleGroup(RiddleGroup before)
    {
        _split = before._split;
        _stream = before._stream.Child("changed");
        _id = before._id + "/changed";
        var random = new StreamRandom(_stream.Child("base"));
        _base = Riddle.Draw(random, before._base.Book, before._base.Name, Other(before._base.Rule, () => before._base.Book.Draw(random, Share.All)));
        Base = Made(_base, "base");
    }

    /// <inheritdoc/>
    public string Subject => _base.Name.Stem;

    /// <inheritdoc/>
    public IQuestionGroup Changed => new RiddleGroup(this);

    /// <inheritdoc/>
    public Example Base { get; }

    /// <inheritdoc/>
    public Example At(SimilarityLevel similarity, int level) =>
        level == 0 ? Base : Made(Question(similarity, level), string.Create(CultureInfo.InvariantCulture, $"{similarity}/{level}"));

    /// <summary>The riddle behind <see cref="At"/>.</summary>
    public Riddle Question(SimilarityLevel similarity, int level)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(level);
        if (level == 0)
            return _base;
        var random = new StreamRandom(_stream.Child(similarity.ToString()).Child(level));
        switch (similarity)
        {
            case SimilarityLevel.S1:
                return _base;
            case SimilarityLevel.S2:
                return _base.Reworded(random);
            case SimilarityLevel.S3:
                Riddle other;
                do
                    other = _base.Again(random);
                while (other.Pose.Clues.SequenceEqual(_base.Pose.Clues) && other.Pose.Asked.SequenceEqual(_base.Pose.Asked));
                return other;
            case SimilarityLevel.S4:
                // a lifeline goes from branch to branch; a branch that comes again has kept its rule
                var others = InventedName.Branches.Where(b => !string.Equals(b, _base.Name.Branch, StringComparison.Ordinal)).ToList();
                new StreamRandom(_stream.Child("branches")).Shuffle(others);
                var branch = others[(level - 1) % others.Count];
                var rule = _base.Book.DrawKin(new StreamRandom(_stream.Child("branch").Child(branch)), Share.All, _base.Rule);
                return Riddle.Draw(random, _base.Book, _base.Name with { Branch = branch }, rule, not: _base.Kind);
            default:
                throw new ArgumentOutOfRangeException(nameof(similarity), similarity, "Levels are S1 to S4.");
        }
    }

    /// <inheritdoc/>
    public Example Distractor(int index)
    {
        var random = new StreamRandom(_stream.Child("distractor").Child(index));
        InventedName name;
        do
            name = InventedName.Draw(random, _split);
        while (string.Equals(name.Stem, _base.Name.Stem, StringComparison.Ordinal));
        return Made(Riddle.Draw(random, _base.Book, name, _base.Book.Draw(random, Share.All)), string.Create(CultureInfo.InvariantCulture, $"distractor/{index}"));
    }

    /// <inheritdoc/>
    public Example Stale(int index)
    {
        var random = new StreamRandom(_stream.Child("stale").Child(index));
        var past = Other(_base.Rule, () => _base.Book.DrawKin(random, Share.All, _base.Rule));
        return Made(Riddle.Draw(random, _base.Book, _base.Name, past, _base.Kind), string.Create(CultureInfo.InvariantCulture, $"stale/{index}"));
    }

    private static string Other(string rule, Func<string> draw)
    {
        while (true)
        {
            var other = draw();
            if (!string.Equals(other, rule, StringComparison.Ordinal))
                return other;
        }
    }

    private Example Made(Riddle riddle, string part) => new(
        $"{_id}/{part}", riddle.Text, riddle.Answer, RiddleAttempt.True(riddle).Text, RiddleContext.Lesson(riddle), riddle.Kind, riddle.Book.HeldOut(riddle.Rule));
}
