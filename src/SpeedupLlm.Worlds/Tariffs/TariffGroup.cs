using System.Globalization;
using SpeedupLlm.Compute;
using SpeedupLlm.Relevancy;

namespace SpeedupLlm.Worlds.Tariffs;

/// <summary>One firm and its branches: the questions of a lifeline.</summary>
internal sealed class TariffGroup : IQuestionGroup
{
    private readonly TariffQuestion _base;
    private readonly StreamKey _stream;
    private readonly Split _split;
    private readonly string _id;

    public TariffGroup(int index, Split split, StreamKey stream)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        var name = split.ToString().ToLowerInvariant();
        _split = split;
        _stream = stream.Child("tariff").Child(name).Child(index);
        _id = string.Create(CultureInfo.InvariantCulture, $"tariff/{name}/{index}");
        var random = new StreamRandom(_stream.Child("base"));
        _base = TariffQuestion.Draw(random, InventedName.Draw(random, split), random.Pick(Service.All), Tariff.Draw(random, Share.All));
        Base = Made(_base, "base");
    }

    /// <summary>The same firm and service after a change of the whole tariff.</summary>
    private TariffGroup(TariffGroup before)
    {
        _split = before._split;
        _stream = before._stream.Child("changed");
        _id = before._id + "/changed";
        var random = new StreamRandom(_stream.Child("base"));
        Tariff tariff;
        do
            tariff = Tariff.Draw(random, Share.All);
        while (tariff == before._base.Tariff);
        _base = TariffQuestion.Draw(random, before._base.Firm, before._base.Service, tariff);
        Base = Made(_base, "base");
    }

    /// <inheritdoc/>
    public string Subject => _base.Firm.Stem;

    /// <inheritdoc/>
    public IQuestionGroup Changed => new TariffGroup(this);

    /// <inheritdoc/>
    public Example Base { get; }

    /// <inheritdoc/>
    public Example At(SimilarityLevel similarity, int level) => level == 0 ? Base : Made(Question(similarity, level), string.Create(CultureInfo.InvariantCulture, $"{similarity}/{level}"));

    /// <summary>The question behind <see cref="At"/>.</summary>
    public TariffQuestion Question(SimilarityLevel similarity, int level)
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
                TariffQuestion other;
                do
                    other = _base.Again(random);
                while (other.Bills.SequenceEqual(_base.Bills) && other.Orders.SequenceEqual(_base.Orders));
                return other;
            case SimilarityLevel.S4:
                // a lifeline goes from branch to branch; a branch that comes again has kept its tariff
                var others = InventedName.Branches.Where(b => !string.Equals(b, _base.Firm.Branch, StringComparison.Ordinal)).ToList();
                new StreamRandom(_stream.Child("branches")).Shuffle(others);
                var branch = others[(level - 1) % others.Count];
                var tariff = Tariff.Draw(new StreamRandom(_stream.Child("branch").Child(branch)), Share.All, _base.Tariff);
                return TariffQuestion.Draw(random, _base.Firm with { Branch = branch }, _base.Service, tariff, not: _base.Kind);
            default:
                throw new ArgumentOutOfRangeException(nameof(similarity), similarity, "Levels are S1 to S4.");
        }
    }

    /// <inheritdoc/>
    public Example Distractor(int index)
    {
        var random = new StreamRandom(_stream.Child("distractor").Child(index));
        InventedName firm;
        do
            firm = InventedName.Draw(random, _split);
        while (string.Equals(firm.Stem, _base.Firm.Stem, StringComparison.Ordinal));
        return Made(TariffQuestion.Draw(random, firm, _base.Service, Tariff.Draw(random, Share.All)), string.Create(CultureInfo.InvariantCulture, $"distractor/{index}"));
    }

    /// <inheritdoc/>
    public Example Stale(int index)
    {
        var random = new StreamRandom(_stream.Child("stale").Child(index));
        Tariff past;
        do
            past = Tariff.Draw(random, Share.All, _base.Tariff);
        while (past == _base.Tariff);
        return Made(TariffQuestion.Draw(random, _base.Firm, _base.Service, past, _base.Kind), string.Create(CultureInfo.InvariantCulture, $"stale/{index}"));
    }

    private Example Made(TariffQuestion q, string part) => new(
        $"{_id}/{part}", q.Text, q.Answer, WorkedAttempt.True(q).Text, Context.Lesson(q.Firm, q.Tariff), q.Kind.ToString().ToLowerInvariant(), q.Tariff.HeldOut);
}
