using Microsoft.Extensions.AI;
using SpeedupLlm.Compute;
using SpeedupLlm.Prompts;
using SpeedupLlm.Reasoning;
using SpeedupLlm.Scoring;
using SpeedupLlm.Testing;

namespace SpeedupLlm.Tests.Reasoning;

public sealed class TreeOfThoughtsTests
{
    private static readonly TreeOfThoughtsOptions OneTree = new() { Regrow = false };

    /// <summary>A model that knows a tree: the steps after each path (in the order of draws), and the values of paths.</summary>
    private static ScriptedChatClient Tree(Dictionary<string, string[]> steps, Dictionary<string, string>? values = null) => new(call =>
    {
        var path = call.Text[(call.Text.LastIndexOf(CompactPrompts.AttemptTag, StringComparison.Ordinal) + CompactPrompts.AttemptTag.Length)..].Trim();
        return call.Task switch
        {
            PromptTask.Propose when !steps.ContainsKey(path) => "Nothing.",
            PromptTask.Propose when steps[path][call.Info.Draw] == "fail" => ScriptedReply.Failing(),
            PromptTask.Propose when steps[path][call.Info.Draw].EndsWith('…') => new(steps[path][call.Info.Draw]) { Finish = ChatFinishReason.Length },
            PromptTask.Propose => steps[path][call.Info.Draw],
            PromptTask.Value => values?.GetValueOrDefault(path) ?? "maybe.",
            _ => throw new InvalidOperationException($"{call.Task}"),
        };
    });

    private static List<string> Expanded(ScriptedChatClient model) => [.. model.Calls
        .Where(c => c.Task == PromptTask.Propose)
        .Select(c => c.Text[(c.Text.LastIndexOf(CompactPrompts.AttemptTag, StringComparison.Ordinal) + CompactPrompts.AttemptTag.Length)..].Trim())
        .Distinct()];

    private static readonly Dictionary<string, string[]> TwoLevels = new()
    {
        [""] = ["A.", "B.", "C."],
        ["A."] = ["Answer 1.", "Answer 2.", "Answer 2."],
        ["B."] = ["Answer 3.", "Answer 42.", "Answer 5."],
        ["C."] = ["Answer 6.", "Answer 6.", "Answer 6."],
    };

    [Fact]
    public async Task RunAsync_DepthFirst_BacktracksToTheLeafThatIsAccepted()
    {
        var model = Tree(TwoLevels, new() { ["A."] = "sure." });
        var solution = await model.SolveAsync(new TreeOfThoughts(OneTree));
        Assert.Equal(["", "A.", "B."], Expanded(model));
        Assert.Equal(["1", "2", "3", "42"], solution.Attempts.Select(a => a.Final)); // the second "2" was merged
        Assert.Equal("B. Answer 42.", solution.Best!.Text);
        Assert.Equal((StopReason.Threshold, 3m), (solution.Stop, solution.Bill.Operations));
        Assert.Equal(9, model.Count(PromptTask.Propose));
        Assert.Equal(3, model.Count(PromptTask.Value)); // leaves are scored, not valued
        Assert.Equal(3, solution.Bill.Charges.Count(c => c.Purpose == CallPurpose.Score));
    }

    [Fact]
    public async Task RunAsync_TreeSearched_GrowsAgainWithNewDrawsAndFollowsNothingTwice()
    {
        var steps = new Dictionary<string, string[]>
        {
            [""] = ["A.", "B.", "A.", "B.", "C.", "A."], // two trees of three draws
            ["A."] = ["Dead.", "Dead.", "Dead."],
            ["B."] = ["Dead.", "Dead.", "Dead."],
            ["C."] = ["Answer 42.", "Answer 42.", "Answer 42."],
        };
        var model = Tree(steps, new() { ["A. Dead."] = "none.", ["B. Dead."] = "none." });
        var solution = await model.SolveAsync(new TreeOfThoughts());
        Assert.Equal(["", "A.", "B.", "C."], Expanded(model));
        Assert.Equal((StopReason.Threshold, 5m, "C. Answer 42."), (solution.Stop, solution.Bill.Operations, solution.Best!.Text));
        Assert.Equal([0, 1, 2, 3, 4, 5], model.Calls.Where(c => c.Task == PromptTask.Propose && c.Text.EndsWith(CompactPrompts.AttemptTag, StringComparison.Ordinal)).Select(c => c.Info.Draw));
    }

    [Fact]
    public async Task RunAsync_NothingNewGrows_StopsAtTheCapOfNodes()
    {
        var model = Tree(new() { [""] = [.. Enumerable.Repeat("A.", 100)] }, new() { ["A."] = "none." });
        var solution = await model.SolveAsync(new TreeOfThoughts(new() { MaxNodes = 7 }));
        Assert.Equal((StopReason.Cap, 7m, null), (solution.Stop, solution.Bill.Operations, solution.Best));
        Assert.Equal(1, model.Count(PromptTask.Value));
    }

    [Fact]
    public async Task RunAsync_Values_DecideTheOrderAndOfEqualsTheFirst()
    {
        var model = Tree(TwoLevels, new() { ["B."] = "sure." });
        var solution = await model.SolveAsync(new TreeOfThoughts(OneTree), threshold: 2);
        Assert.Equal(["", "B.", "A.", "C."], Expanded(model));
        Assert.Equal((StopReason.Exhausted, 4m), (solution.Stop, solution.Bill.Operations));
    }

    [Fact]
    public async Task RunAsync_ValueBelowMinimum_IsPruned()
    {
        var model = Tree(TwoLevels, new() { ["B."] = "none.", ["A."] = "none." });
        var solution = await model.SolveAsync(new TreeOfThoughts(OneTree));
        Assert.Equal(["", "C."], Expanded(model));
        Assert.Equal(StopReason.Exhausted, solution.Stop);
        Assert.Equal("6", solution.Best!.Final);
    }

    [Fact]
    public async Task RunAsync_ValueCannotBeRead_IsKeptBehindTheOthers()
    {
        var model = Tree(TwoLevels, new() { ["A."] = "well, perhaps", ["B."] = "none." });
        await model.SolveAsync(new TreeOfThoughts(OneTree));
        Assert.Equal(["", "C.", "A."], Expanded(model));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    public async Task RunAsync_NodeCap_StopsThere(int cap, int expanded)
    {
        var model = Tree(TwoLevels);
        var solution = await model.SolveAsync(new TreeOfThoughts(OneTree with { MaxNodes = cap }));
        Assert.Equal(StopReason.Cap, solution.Stop);
        Assert.Equal(expanded, solution.Bill.Operations);
        Assert.Equal(3 * expanded, model.Count(PromptTask.Propose));
    }

    [Fact]
    public async Task RunAsync_DepthLimit_GivesPathsUp()
    {
        var model = new ScriptedChatClient(call => call.Task == PromptTask.Value ? "maybe." : FormattableString.Invariant($"Step {call.Info.Draw}."));
        var solution = await model.SolveAsync(new TreeOfThoughts(OneTree with { MaxDepth = 2, Proposals = 2, MaxNodes = 100 }));
        Assert.Equal((StopReason.Exhausted, 3m, null), (solution.Stop, solution.Bill.Operations, solution.Best));
        Assert.Equal(2, model.Count(PromptTask.Value)); // at the limit nothing is valued
    }

    [Fact]
    public async Task RunAsync_BreadthFirst_KeepsTheBeam()
    {
        var steps = new Dictionary<string, string[]>
        {
            [""] = ["A.", "B.", "C."],
            ["A."] = ["A1.", "A2.", "A3."],
            ["C."] = ["C1.", "C2.", "Answer 7."],
            ["A. A2."] = ["Answer 1.", "Answer 2.", "Answer 3."],
            ["C. C1."] = ["Answer 4.", "Answer 42.", "Answer 6."],
        };
        var values = new Dictionary<string, string> { ["A."] = "sure.", ["C."] = "sure.", ["A. A2."] = "sure.", ["C. C1."] = "sure." };
        var model = Tree(steps, values);
        var solution = await model.SolveAsync(new TreeOfThoughts(OneTree with { Order = TreeOrder.BreadthFirst, Beam = 2 }));
        Assert.Equal(["", "A.", "C.", "A. A2.", "C. C1."], Expanded(model));
        Assert.Equal(["7", "1", "2", "3", "4", "42"], solution.Attempts.Select(a => a.Final));
        Assert.Equal((StopReason.Threshold, 5m), (solution.Stop, solution.Bill.Operations));
    }

    [Fact]
    public async Task RunAsync_SomeProposalsFail_GoesOnWithTheOthers()
    {
        var model = Tree(new() { [""] = ["fail", "Answer 42.", "fail"] });
        var solution = await model.SolveAsync(new TreeOfThoughts(OneTree));
        Assert.Equal((StopReason.Threshold, 1m, 2), (solution.Stop, solution.Bill.Operations, solution.Failures.Count));
    }

    [Fact]
    public async Task RunAsync_AllProposalsFail_IsExhausted()
    {
        var solution = await Tree(new() { [""] = ["fail", "fail", "fail"] }).SolveAsync(new TreeOfThoughts(OneTree));
        Assert.Equal((StopReason.Exhausted, 0m, 3), (solution.Stop, solution.Bill.Operations, solution.Failures.Count));
    }

    [Fact]
    public async Task RunAsync_BudgetEndsAmongProposals_LooksAtTheAnswersThatCame()
    {
        var model = Tree(new() { [""] = ["Answer 1.", "Answer 42.", "A."] });
        var solution = await model.SolveAsync(new TreeOfThoughts(OneTree), budget: new() { Calls = 2 });
        Assert.Equal((StopReason.Threshold, "42"), (solution.Stop, solution.Best!.Final));
        solution = await model.SolveAsync(new TreeOfThoughts(OneTree), budget: new() { Calls = 1 });
        Assert.Equal((StopReason.Budget, "1"), (solution.Stop, solution.Best!.Final));
    }

    /// <summary>A step that was cut off makes the whole path incomplete: it is never learnt (case 5).</summary>
    [Fact]
    public async Task RunAsync_CutStep_MarksTheLeaf()
    {
        var model = Tree(new() { [""] = ["A…", "A…", "A…"], ["A…"] = ["Answer 42.", "Answer 42.", "Answer 42."] });
        var solution = await model.SolveAsync(new TreeOfThoughts(OneTree));
        Assert.True(solution.Accepted);
        Assert.False(solution.Best!.Complete);
    }

    [Fact]
    public async Task RunAsync_Width_GivesTheSameTree()
    {
        var one = await ScriptedApprentice.Create(0.2).SolveAsync(new TreeOfThoughts(OneTree), seed: 3);
        var wide = await ScriptedApprentice.Create(0.2).SolveAsync(new TreeOfThoughts(OneTree with { Width = 3 }), seed: 3);
        Assert.Equal(one.Attempts, wide.Attempts);
        Assert.Equal(one.Bill.Operations, wide.Bill.Operations);
    }

    [Fact]
    public void Constructor_OptionOutOfRange_Throws()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new TreeOfThoughts(new() { Proposals = 0 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new TreeOfThoughts(new() { MaxDepth = 0 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new TreeOfThoughts(new() { MaxNodes = 0 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new TreeOfThoughts(new() { Beam = 0 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new TreeOfThoughts(new() { Width = 0 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new TreeOfThoughts(new() { MinimumValue = double.NaN }));
    }
}
