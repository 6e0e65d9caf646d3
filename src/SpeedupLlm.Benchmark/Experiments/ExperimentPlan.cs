using SpeedupLlm.Benchmark.Calibration;
using SpeedupLlm.Benchmark.Data;
using SpeedupLlm.Benchmark.Results;
using SpeedupLlm.Memory;
using SpeedupLlm.Relevancy;

namespace SpeedupLlm.Benchmark.Experiments;

/// <summary>Lifelines that one process lives, one after another: nothing else knows of them until they are over.</summary>
/// <param name="Name">The same in every process that shares the run.</param>
/// <param name="Keys">Which, in order.</param>
internal sealed record Strand(string Name, IReadOnlyList<LifelineKey> Keys);

/// <summary>What a run consists of: it follows from settings, model and data alone, so that every process that shares the run has the same.</summary>
internal sealed class ExperimentPlan
{
    private readonly IExampleSource _data;

    /// <exception cref="UnknownNameException">A name is unknown.</exception>
    /// <exception cref="ArgumentException">A parameter is out of range, or does not fit model or data.</exception>
    public ExperimentPlan(ExperimentSettings settings, ExperimentModel model, IExampleSource data)
    {
        _data = data;
        HasLevels = data.LevelsAt(SimilarityLevel.S1) is not null;
        Settings = settings with
        {
            Memory = [CellKey.NoMemory, .. settings.Memory.Where(m => m != CellKey.NoMemory)],
            Similarity = HasLevels ? settings.Similarity : [Experiment.AnySimilarity],
            Rounds = HasLevels ? settings.Rounds : 0,
            Groups = GroupsOf(settings, data),
            Data = data.Name,
        };
        Methods.Validate(Settings);
        if (HasLevels && Settings.Similarity.FirstOrDefault(s => LevelsOf(s) == 0 && Settings.Rounds > 0) is { } none)
            throw new ArgumentException($"{data.Name} has no question at {none} in every group: say --similarity without it.");
        if (HasLevels && data.Library.Count > 0)
            throw new ArgumentException("A lifeline of the grid begins with empty memory: a library is for --stream, and for questions without groups.");
        if (Settings.Distractors > 0 && !HasLevels)
            throw new ArgumentException($"{data.Name} has no groups that could distract from each other.");
        if (Settings.Distractors >= Settings.Groups)
            throw new ArgumentException(FormattableString.Invariant($"{Settings.Distractors} other groups can distract in a run of more than {Settings.Groups}: ask for more groups."));
        if (model.NoMemoryBecause is { } reason && Settings.Memory.Count > 1)
            throw new ArgumentException($"Memory {Settings.Memory[1]} cannot be used: {reason}.");
        foreach (var memory in Settings.Memory)
            (Methods.Memory(memory, Settings) as IModelRequirement)?.Require(model.Traits, model.Client.GetService(typeof(IAdapterTrainer)) as IAdapterTrainer);
        Groups = [.. Enumerable.Range(0, Settings.Groups!.Value)];
    }

    /// <summary>The settings, with what follows from the data.</summary>
    public ExperimentSettings Settings { get; }

    /// <summary>Whether questions have levels of similarity; without them each question is a group.</summary>
    public bool HasLevels { get; }

    public IReadOnlyList<int> Groups { get; }

    /// <summary>How many trials a whole run has.</summary>
    public int Trials => Lifelines().Sum(k => LevelsOf(k.Similarity) + 1);

    /// <summary>All lifelines, group by group, so that an interrupted run has whole groups in all cells.</summary>
    public IEnumerable<LifelineKey> Lifelines() =>
        from @group in Groups
        from scaling in Settings.Scaling
        from similarity in Settings.Similarity
        from memory in Settings.Memory
        select new LifelineKey(@group, similarity, scaling, memory);

    /// <summary>The questions that the model is asked once, plainly.</summary>
    public IEnumerable<LifelineKey> PlainCalls() =>
        from @group in Groups
        from similarity in Settings.Similarity
        select new LifelineKey(@group, similarity, LifelineRunner.PlainCall, CellKey.NoMemory);

    /// <summary>Lifelines as they must be lived: each for itself; without levels the baseline's questions know nothing of each other, and an arm with memory is one long lifeline.</summary>
    public IEnumerable<Strand> Strands(IEnumerable<LifelineKey> lifelines) => HasLevels
        ? lifelines.Select(k => new Strand(NameOf(k), [k]))
        : lifelines.GroupBy(k => (k.Scaling, k.Memory)).SelectMany(arm => arm.Key.Memory == CellKey.NoMemory
            ? arm.Select(k => new Strand(NameOf(k), [k]))
            : [new Strand($"{Experiment.AnySimilarity}/{arm.Key.Scaling}/{arm.Key.Memory}", [.. arm])]);

    /// <summary>How many questions of a similarity follow the base question.</summary>
    public int LevelsOf(string similarity) =>
        HasLevels ? Math.Min(Settings.Rounds, _data.LevelsAt(Enum.Parse<SimilarityLevel>(similarity)) ?? 0) : 0;

    /// <summary>The levels at which the model is asked plainly: those that count.</summary>
    public IEnumerable<int> PlainLevels(string similarity) => HasLevels ? Enumerable.Range(1, LevelsOf(similarity)) : [0];

    /// <summary>How well the questions of the run are told apart, or null where no memory would look, or nothing is alike.</summary>
    public RelevancyReport? Relevancy() => HasLevels && Settings.Memory.Count > 1 ? RelevancyStudy.Of(_data.Name, Pair.Of(_data, Groups.Count)) : null;

    /// <summary>What of earlier trials is a finished strand; unfinished ones are lived anew, since memory is not kept.</summary>
    public IReadOnlyList<Trial> Finished(IReadOnlyList<Trial> trials)
    {
        var planned = Lifelines().ToHashSet();
        var whole = trials
            .GroupBy(KeyOf)
            .Where(l => planned.Contains(l.Key) && l.Select(t => t.Level).Distinct().Count() == LevelsOf(l.Key.Similarity) + 1)
            .SelectMany(l => l.DistinctBy(t => t.Level)).ToList();
        return HasLevels ? whole : [.. whole.GroupBy(t => t.Cell).Where(c => c.Key.IsBaseline || c.Count() == Groups.Count).SelectMany(c => c)];
    }

    public static LifelineKey KeyOf(Trial trial) => new(trial.Group, trial.Similarity, trial.Scaling, trial.Memory);

    private static string NameOf(LifelineKey key) => FormattableString.Invariant($"{key.Group}/{key.Similarity}/{key.Scaling}/{key.Memory}");

    private static int GroupsOf(ExperimentSettings settings, IExampleSource data) =>
        settings.Groups is { } asked && data.Groups is { } there && asked > there
            ? throw new ArgumentException(FormattableString.Invariant($"{data.Name} has {there} groups, not {asked}."))
            : settings.Groups ?? data.Groups ?? 20;
}
