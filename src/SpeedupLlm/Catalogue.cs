using SpeedupLlm.Memory;
using SpeedupLlm.Prompts;
using SpeedupLlm.Reasoning;
using SpeedupLlm.Scoring;

namespace SpeedupLlm;

/// <summary>Things of one kind, found by name, in the order of the contract.</summary>
public sealed class CatalogueOf<T>
{
    private readonly string _kind;
    private readonly Dictionary<string, Func<T>> _makers;

    internal CatalogueOf(string kind, params (string Name, Func<T> Make)[] entries)
    {
        _kind = kind;
        _makers = entries.ToDictionary(e => e.Name, e => e.Make, StringComparer.Ordinal);
        Names = [.. entries.Select(e => e.Name)];
    }

    /// <summary>All names.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>Makes the thing of that name, with default options.</summary>
    /// <exception cref="UnknownNameException">There is none; it lists those there are.</exception>
    public T Create(string name) => _makers.TryGetValue(name, out var make) ? make() : throw new UnknownNameException(_kind, name, Names);
}

/// <summary>What there is to choose from by name. To add something: one file, and one line here; the contract tests run over all of it.</summary>
public static class Catalogue
{
    /// <summary>Scaling methods.</summary>
    public static CatalogueOf<IScalingMethod> ScalingMethods { get; } = new("scaling method",
        ("best-of-n", () => new BestOfN()),
        ("tree-of-thoughts", () => new TreeOfThoughts()),
        ("self-refine", () => new SelfRefine()),
        ("long-cot", () => new LongCot()),
        ("self-consistency", () => new SelfConsistency()));

    /// <summary>Memories.</summary>
    public static CatalogueOf<IMemory> Memories { get; } = new("memory",
        (NoMemory.CatalogueName, () => new NoMemory()),
        (Sft.CatalogueName, () => new Sft()),
        (InContext.CatalogueName, () => new InContext()),
        (Reflect.CatalogueName, () => new Reflect()),
        (MultiReflect.CatalogueName, () => new MultiReflect()),
        (ReflectUpdate.CatalogueName, () => new ReflectUpdate()),
        (AnswerCache.CatalogueName, () => new AnswerCache()),
        (Placebo.CatalogueName, () => new Placebo()),
        (Auto.CatalogueName, () => new Auto()));

    /// <summary>Scorers.</summary>
    public static CatalogueOf<IScorer> Scorers { get; } = new("scorer",
        ("judge", () => new JudgeScorer()),
        ("p-true", () => new PTrueScorer()),
        ("agreement", () => new AgreementScorer()),
        ("equations", () => new EquationsScorer()),
        ("oracle", () => new OracleScorer()));

    /// <summary>Prompt sets.</summary>
    public static CatalogueOf<IPromptSet> Prompts { get; } = new("prompt set",
        ("compact", () => new CompactPrompts()),
        (ChatPrompts.CatalogueName, () => new ChatPrompts()));
}
