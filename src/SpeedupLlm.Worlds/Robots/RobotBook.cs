using SpeedupLlm.Compute;
using SpeedupLlm.Worlds.Riddles;

namespace SpeedupLlm.Worlds.Robots;

/// <summary>Robot World (programs): a robot with an invented name does two things to a row of letters, one after the other. Clues show rows before and after.</summary>
/// <remarks>
/// A rule is a program of two steps, such as <c>flip left</c>. Another branch shares one of them. Rows are five letters of three: with letters that
/// repeat, a step cannot be read off where they went.
/// </remarks>
internal sealed class RobotBook : RuleBook
{
    private const string Out = "out", Ends = "ends";

    private const int Clues = 2, Length = 5;

    private const string Letters = "abc";

    private static readonly (string Name, Func<string, string> Do)[] Steps =
    [
        ("flip", row => string.Concat(row.Reverse())),
        ("left", row => row[1..] + row[0]),
        ("right", row => row[^1] + row[..^1]),
        ("outer", row => row[^1] + row[1..^1] + row[0]),
        ("inner", row => $"{row[0]}{row[^2]}{row[2..^2]}{row[1]}{row[^1]}"),
        ("front", row => $"{row[1]}{row[0]}{row[2..]}"),
        ("back", row => $"{row[..^2]}{row[^1]}{row[^2]}"),
        ("lose", row => row[1..]),
        ("cut", row => row[..^1]),
        ("paint", row => row.Replace('a', 'b')),
        ("wash", row => row.Replace('b', 'c')),
        ("fade", row => row.Replace('c', 'a')),
        ("shift", row => string.Concat(row.Select(letter => Letters[(Letters.IndexOf(letter, StringComparison.Ordinal) + 1) % Letters.Length]))),
    ];

    private static readonly Dictionary<string, Func<string, string>> StepOf = Steps.ToDictionary(s => s.Name, s => s.Do, StringComparer.Ordinal);

    private static readonly string[] Names = [.. Steps.Select(s => s.Name)];

    private static readonly string[] Programs = [.. from first in Names from second in Names where Exists(first, second) select $"{first} {second}"];

    private static readonly string[] Rows = [.. Enumerable.Range(0, 243).Select(code => string.Concat(new[] { 81, 27, 9, 3, 1 }.Select(place => Letters[code / place % 3])))];

    private static readonly (int, double)[] Usual = [(0, .45), (1, .35), (2, .20)];

    // what each program makes of each row: poses are sought among them
    private static readonly Lazy<Dictionary<string, string[]>> Made = new(() => Programs.ToDictionary(p => p, p => Rows.Select(row => Run(p, row)).ToArray(), StringComparer.Ordinal));

    /// <inheritdoc/>
    public override string Name => "robot";

    /// <inheritdoc/>
    public override string Help =>
        "I answer questions about robots that do two things to a row of five letters a, b and c: name a robot, show what two rows become, and ask what it makes of another row, or its first and last letter. "
        + $"What robots do: {string.Join(", ", Names)}.";

    /// <inheritdoc/>
    public override IReadOnlyList<string> HelpExamples { get; } =
    [
        "Orpi North is a robot. a b c a a becomes a c b a a. c a b c a becomes c b a c a. What does it make of a c b b c?",
        "Kalo is a robot. In: a c b b c, out: a a b b. In: b a a c a, out: b a a a. In: c b c a b, out: first and last?",
    ];

    /// <inheritdoc/>
    public override string Verb => "do";

    /// <inheritdoc/>
    public override Wordings Wordings { get; } = new(
        "is a robot",
        Length,
        ["{0} {1} {2} {3} {4} becomes {r}.", "Of {0} {1} {2} {3} {4} it makes {r}.", "In: {0} {1} {2} {3} {4}, out: {r}.", "It makes {r} of {0} {1} {2} {3} {4}."],
        new Dictionary<string, string[]>
        {
            [Out] = ["What does it make of {0}?", "It makes what of {0}?", "In: {0}, out?", "What becomes of {0}?"],
            [Ends] = ["What is first and last of what {0} becomes?", "It makes of {0} what first and last?", "In: {0}, out: first and last?", "What does it make of {0}, first and last?"],
        });

    /// <inheritdoc/>
    public override IReadOnlyList<(string Kind, double Weight)> Kinds { get; } = [(Out, .6), (Ends, .4)];

    /// <inheritdoc/>
    public override IEnumerable<string> Words { get; } = [.. Letters.Select(letter => letter.ToString()), .. Names];

    /// <inheritdoc/>
    public override IReadOnlyList<string> All => Programs;

    /// <inheritdoc/>
    public override bool IsRule(string text) => Programs.Contains(text, StringComparer.Ordinal);

    /// <inheritdoc/>
    public override Working Work(string rule, string kind, string probe)
    {
        var row = string.Concat(probe.Split(' '));
        var said = new List<string> { probe };
        foreach (var step in rule.Split(' '))
        {
            row = StepOf[step](row);
            said.Add($"{step} {Spaced(row)}");
        }

        return new(string.Join(' ', said), Spaced(row));
    }

    /// <inheritdoc/>
    public override (string Sentence, string Answer)? Conclude(string kind, IReadOnlyList<Working> asked)
    {
        var row = asked[0].Result;
        return kind == Out ? ("", row) : ($"first {row[0]} last {row[^1]}.", $"{row[0]} {row[^1]}");
    }

    /// <inheritdoc/>
    public override string WrongResult(StreamRandom random, string kind, string result)
    {
        while (true)
        {
            // two letters changed places, or one is another
            var row = result.Split(' ');
            var (one, other) = (random.Next(row.Length), random.Next(row.Length));
            if (random.Flip(.5))
                (row[one], row[other]) = (row[other], row[one]);
            else
                row[one] = random.Pick(Letters.ToCharArray()).ToString();
            if (string.Join(' ', row) is var wrong && !string.Equals(wrong, result, StringComparison.Ordinal))
                return wrong;
        }
    }

    /// <inheritdoc/>
    public override Pose? TryPose(StreamRandom random, string rule, string kind)
    {
        var made = Made.Value;
        for (var tries = 0; tries < 100; tries++)
        {
            var rows = Enumerable.Range(0, Clues + 1).Select(_ => Row(random)).ToList();
            if (rows.Distinct().Count() <= Clues || rows.Exists(r => Rows[r].Distinct().Count() < 2))
                continue;
            var (mine, asked) = (made[rule], rows[^1]);
            var answer = Answer(kind, mine[asked]);
            var explains = made.Values.Where(other => rows.Take(Clues).All(r => string.Equals(other[r], mine[r], StringComparison.Ordinal)));
            if (explains.All(other => string.Equals(Answer(kind, other[asked]), answer, StringComparison.Ordinal)))
                return new([.. rows.Take(Clues).Select(r => Spaced(Rows[r]))], [Spaced(Rows[asked])]);
        }

        return null;
    }

    /// <inheritdoc/>
    protected override string Draw(StreamRandom random) => random.Pick(Programs);

    /// <inheritdoc/>
    protected override string DrawKin(StreamRandom random, string rule)
    {
        var steps = rule.Split(' ');
        var at = random.Next(steps.Length);
        while (true)
        {
            steps[at] = random.Pick(Names);
            if (Exists(steps[0], steps[1]))
                return string.Join(' ', steps);
        }
    }

    /// <summary>The number of a row; the first letters are the most usual.</summary>
    private static int Row(StreamRandom random)
    {
        var code = 0;
        for (var i = 0; i < Length; i++)
            code = code * Letters.Length + random.Weighted(Usual);
        return code;
    }

    /// <summary>Nothing is done twice, nor undone.</summary>
    private static bool Exists(string first, string second) => first != second && (first, second) is not ("left", "right") and not ("right", "left");

    private static string Answer(string kind, string row) => kind == Out ? row : $"{row[0]}{row[^1]}";

    private static string Run(string program, string row) => program.Split(' ').Aggregate(row, (made, step) => StepOf[step](made));

    private static string Spaced(string row) => string.Join(' ', row.AsEnumerable());
}
