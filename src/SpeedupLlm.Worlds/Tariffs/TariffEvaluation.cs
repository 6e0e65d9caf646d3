using Microsoft.Extensions.AI;
using SpeedupLlm.Compute;
using SpeedupLlm.Prompts;
using SpeedupLlm.Reasoning;

namespace SpeedupLlm.Worlds.Tariffs;

/// <summary>What a model can do in Tariff World, task by task. All prompts are those of the library.</summary>
/// <remarks>
/// Measures of attempts: <c>holds</c> (it says that both bills fit, and answers), <c>sound</c> (its tariff truly fits both bills and the answer
/// follows), <c>right</c> (the answer is right; of several tariffs that fit only one is), <c>tokens</c> (mean length).
/// One sample a question, at temperature 1; judging, feedback and lessons are greedy.
/// </remarks>
public sealed class TariffEvaluation
{
    private static readonly CompactPrompts Prompts = new();
    private readonly EvaluatedModel _model;
    private readonly EvaluationOptions _options;
    private readonly List<Figure> _figures = [];
    private readonly IProgress<Figure>? _progress;
    private readonly CancellationToken _cancellation;

    private TariffEvaluation(IChatClient model, EvaluationOptions options, IProgress<Figure>? progress, CancellationToken cancellationToken)
    {
        _model = new(model, options.Concurrency);
        _options = options;
        _progress = progress;
        _cancellation = cancellationToken;
    }

    /// <summary>The parts, in the order in which they run.</summary>
    public static IReadOnlyList<string> Parts { get; } = ["guess", "think", "propose", "judge", "tasks", "lessons", "tuning"];

    /// <summary>Evaluates a model. Figures are reported as they come and returned in the same order; <c>tuning</c> needs a model that can be fine-tuned and is left out without.</summary>
    /// <exception cref="ArgumentException">An unknown part.</exception>
    public static async Task<IReadOnlyList<Figure>> RunAsync(
        IChatClient model, EvaluationOptions options, IProgress<Figure>? progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.N, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Concurrency, 1);
        var parts = options.Parts ?? Parts;
        if (parts.FirstOrDefault(p => !Parts.Contains(p, StringComparer.Ordinal)) is { } unknown)
            throw new ArgumentException($"There is no part '{unknown}'; the parts are {string.Join(", ", Parts)}.", nameof(options));
        var evaluation = new TariffEvaluation(model, options, progress, cancellationToken);
        foreach (var part in Parts.Where(p => parts.Contains(p, StringComparer.Ordinal)))
            await evaluation.RunAsync(part);
        return evaluation._figures;
    }

    private Task RunAsync(string part) => part switch
    {
        "guess" => SolveAsync(PromptTask.Guess, Conditions.Guess),
        "think" => SolveAsync(PromptTask.Think, Conditions.Think),
        "propose" => ProposeAsync(),
        "judge" => JudgeAsync(),
        "tasks" => TasksAsync(),
        "lessons" => LessonsAsync(),
        _ => TuneAsync(),
    };

    private async Task SolveAsync(PromptTask task, IReadOnlyList<Conditioned> conditions)
    {
        foreach (var condition in conditions)
        {
            var asked = condition.Questions(Stream("questions"), _options.N);
            var replies = await _model.MapAsync(asked, (a, i) => _model.AskAsync(
                Prompts.Solve(task, TrainingTexts.Asked(a.Question), a.Context.Hints), Stream(CompactPrompts.Word(task)).Child(condition.Name).Child(i), _cancellation), _cancellation);
            ReportAttempts(CompactPrompts.Word(task), condition.Name, [.. asked.Select((a, i) => (a.Question, replies[i].Text, replies[i].Tokens))]);
        }
    }

    /// <summary>Paths of proposed steps, greedily extended with one proposal each.</summary>
    private async Task ProposeAsync()
    {
        foreach (var condition in Conditions.Propose)
        {
            var asked = condition.Questions(Stream("questions"), _options.N);
            var paths = await _model.MapAsync(asked, async (a, i) =>
            {
                var (path, tokens) = ("", 0L);
                for (var step = 0; step < 4 && !path.EndsWith(" no.", StringComparison.Ordinal) && !Prompts.IsAnswered(path); step++)
                {
                    var reply = await _model.AskAsync(Prompts.Propose(TrainingTexts.Asked(a.Question), a.Context.Hints, path),
                        Stream("propose").Child(condition.Name).Child(i).Child(step), _cancellation);
                    path = (path + " " + reply.Text.Trim()).Trim();
                    tokens += reply.Tokens;
                }

                return (a.Question, path, tokens);
            }, _cancellation);
            ReportAttempts("propose", condition.Name, paths);
        }
    }

    /// <summary>The judge on attempts of known sort, each stage on its own, and on the model's own attempts.</summary>
    private async Task JudgeAsync()
    {
        foreach (var (name, make) in Conditions.Judged)
        {
            var attempts = Draw(name, make);
            var verdicts = await _model.MapAsync(attempts, (a, i) => VerdictAsync(a.Question, a.Text, Stream("judge").Child(name).Child(i)), _cancellation);
            Report("judge", name, "says good", verdicts, v => v == 1);
            Report("judge", name, "unscored", verdicts, v => v is null);
        }

        var mixed = Draw("mixed", Judged.Draw);
        var known = mixed.ConvertAll(a => Verification.Of(a)!);
        await ExactAsync("judge", "restate", [.. mixed.Select((a, i) => (Prompts.Restate(TrainingTexts.Asked(a.Question), TrainingTexts.Attempted(a)), known[i].Restated))]);
        await ExactAsync("judge", "verify", [.. known.Select(v => (Prompts.Verify(v.Restated), v.Verified))]);
        await ExactAsync("judge", "compare", [.. mixed.Select((a, i) => (Prompts.Compare(TrainingTexts.Asked(a.Question), TrainingTexts.Attempted(a), known[i].Verified), known[i].Compared))]);

        foreach (var condition in Conditions.Propose)
        {
            var asked = condition.Questions(Stream("own"), _options.N);
            var own = await _model.MapAsync(asked, async (a, i) =>
            {
                var stream = Stream("own").Child(condition.Name).Child(i);
                var reply = await _model.AskAsync(Prompts.Solve(PromptTask.Guess, TrainingTexts.Asked(a.Question), a.Context.Hints), stream, _cancellation);
                var read = ReadAttempt.Of(Prompts, reply.Text);
                // an attempt without an answer is refused without the judge
                var verdict = read.Final is null ? 0 : await VerdictAsync(a.Question, reply.Text, stream.Child("judge"));
                return (Sound: read.Sound(a.Question), Right: read.Right(a.Question), read.Final, Verdict: verdict);
            }, _cancellation);
            Report("judge", $"own sound, {condition.Name}", "says good", [.. own.Where(o => o.Sound)], o => o.Verdict == 1);
            Report("judge", $"own unsound, {condition.Name}", "says good", [.. own.Where(o => !o.Sound && o.Final is not null)], o => o.Verdict == 1);
            Report("judge", $"own, {condition.Name}", "accepted", own, o => o.Verdict == 1);
            Report("judge", $"own accepted, {condition.Name}", "right", [.. own.Where(o => o.Verdict == 1)], o => o.Right);
        }
    }

    /// <summary>Values, feedback and refinement.</summary>
    private async Task TasksAsync()
    {
        var failed = Draw("failed", Conditions.Failed);
        var sound = Draw("sound", Conditions.Sound);
        (Prompt, string) Valued(WorkedAttempt a, int steps, string value) => (Prompts.Value(TrainingTexts.Asked(a.Question), string.Join(' ', a.Steps.Take(steps))), value);
        await ExactAsync("value", "good paths", [.. sound.SelectMany(a => new[] { Valued(a, 1, "maybe"), Valued(a, 2, "maybe"), Valued(a, 3, "sure"), Valued(a, 4, "sure") })]);
        await ExactAsync("value", "failed paths", [.. failed.Select(a => Valued(a, a.Steps.Count, "none"))]);
        foreach (var (name, make) in Conditions.Judged)
        {
            var attempts = Draw(name, make);
            await ExactAsync("feedback", name, [.. attempts.Select(a => (Prompts.Feedback(TrainingTexts.Asked(a.Question), TrainingTexts.Attempted(a)), Remarks.On(a)))]);
        }

        foreach (var (name, attempts) in new[] { ("failed", failed), ("slip", Draw("slip", WorkedAttempt.WithSlip)) })
        {
            var refined = await _model.MapAsync(attempts, (a, i) => _model.AskAsync(
                Prompts.Refine(TrainingTexts.Asked(a.Question), [], TrainingTexts.Attempted(a), Remarks.On(a)), Stream("refine").Child(name).Child(i), _cancellation), _cancellation);
            ReportAttempts("refine", name, [.. attempts.Select((a, i) => (a.Question, refined[i].Text, refined[i].Tokens))]);
        }
    }

    private async Task LessonsAsync()
    {
        var random = new StreamRandom(Stream("lessons"));
        (string Name, Prompt, string)[] Make()
        {
            var q = TariffQuestion.Draw(random);
            TariffQuestion[] several = [q, TariffQuestion.Draw(random), TariffQuestion.Draw(random)];
            TariffQuestion[] same = [q, q.Again(random), q.Again(random)];
            var sibling = TariffQuestion.Draw(random, q.Firm.Sibling(random), q.Service, Tariff.Draw(random, Share.Trained, q.Tariff));
            var old = Enumerable.Range(0, TrainingTexts.RunningLesson).Select(_ => (InventedName.Draw(random), Tariff.Draw(random, Share.Trained))).ToList();
            string Lessons(params TariffQuestion[] of) => TrainingTexts.Lessons(of.Select(c => (c.Firm, c.Tariff)));
            return
            [
                ("one", Prompts.Reflect([TrainingTexts.Worked(q)]), Lessons(q)),
                ("three firms", Prompts.Reflect([.. several.Select(TrainingTexts.Worked)]), Lessons(several)),
                ("three of one firm", Prompts.Reflect([.. same.Select(TrainingTexts.Worked)]), Lessons(q)),
                ("two branches", Prompts.Reflect([TrainingTexts.Worked(q), TrainingTexts.Worked(sibling)]), Lessons(q, sibling)),
                ("first update", Prompts.Update("", TrainingTexts.Worked(q), 400), Lessons(q)),
                ("update of four", Prompts.Update(TrainingTexts.Lessons(old), TrainingTexts.Worked(q), 400), TrainingTexts.Lessons(TrainingTexts.Updated(old, q))),
            ];
        }

        var made = Enumerable.Range(0, _options.N).SelectMany(_ => Make()).ToList();
        foreach (var lessons in made.GroupBy(m => m.Name, StringComparer.Ordinal))
        {
            var pairs = lessons.Select(m => (m.Item2, m.Item3)).ToList();
            var replies = await ExactAsync("lesson", lessons.Key, pairs);
            // what is named is right, though not all may be named
            Report("lesson", lessons.Key, "named right", [.. pairs.Zip(replies)], p => Entries(p.Second) is { Count: > 0 } named && named.IsSubsetOf(Entries(p.First.Item2)));
        }

        static HashSet<string> Entries(string lesson) => [.. lesson.Split('.', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)];
    }

    /// <summary>Guesses without memory after fine-tuning on one or three cases of a firm; a sixth as many firms as questions elsewhere, six samples each.</summary>
    private async Task TuneAsync()
    {
        if (_model.Trainer is not { } trainer)
            return;
        foreach (var cases in new[] { 1, 3 })
        {
            var right = new SortedDictionary<string, List<bool>>(StringComparer.Ordinal);
            for (var firm = 0; firm < Math.Max(1, _options.N / 6); firm++)
            {
                var stream = Stream("tuning").Child(firm);
                var random = new StreamRandom(stream);
                var q = TariffQuestion.Draw(random);
                var asked = new (string Name, TariffQuestion Question)[]
                {
                    ("S1", q), ("S2", q.Reworded(random)), ("S3", q.Again(random)),
                    ("S4", TariffQuestion.Draw(random, q.Firm.Sibling(random), q.Service, Tariff.Draw(random, Share.Trained, q.Tariff), not: q.Kind)), ("other", TariffQuestion.Draw(random)),
                };
                var pairs = Enumerable.Range(0, cases).Select(i => i == 0 ? q : q.Again(random))
                    .SelectMany(c => Prompts.TrainingPairs(PromptTask.Guess, TrainingTexts.Worked(c))).ToList();
                var trained = await trainer.TrainAsync(null, pairs, stream.Child("train").Child(cases), _cancellation);
                var replies = await _model.MapAsync([.. asked.SelectMany(a => Enumerable.Repeat(a, 6))], async (a, i) => (a.Name, Right: ReadAttempt.Of(Prompts, (await _model.AskAsync(
                    Prompts.Solve(PromptTask.Guess, TrainingTexts.Asked(a.Question), []), stream.Child("guess").Child(i), _cancellation, trained.Adapter)).Text).Right(a.Question)), _cancellation);
                foreach (var (name, isRight) in replies)
                {
                    if (!right.TryGetValue(name, out var list))
                        right[name] = list = [];
                    list.Add(isRight);
                }
            }

            foreach (var (name, list) in right)
                Report("tuning", (cases == 1 ? "one case, " : "three cases, ") + name, "right", list, r => r);
        }
    }

    /// <summary>1, 0, or null for unscored.</summary>
    private async Task<double?> VerdictAsync(TariffQuestion q, string text, StreamKey stream)
    {
        var (question, attempt) = (TrainingTexts.Asked(q), new Attempt(0, text, Prompts.Final(text), default, null));
        var restated = await _model.AskAsync(Prompts.Restate(question, attempt), stream.Child("restate"), _cancellation);
        var verified = await _model.AskAsync(Prompts.Verify(restated.Text), stream.Child("verify"), _cancellation);
        var compared = await _model.AskAsync(Prompts.Compare(question, attempt, verified.Text), stream.Child("compare"), _cancellation);
        return Prompts.ReadVerdict(compared.Text).Value;
    }

    private async Task<IReadOnlyList<string>> ExactAsync(string part, string condition, IReadOnlyList<(Prompt Prompt, string Expected)> pairs)
    {
        var replies = await _model.MapAsync(pairs, (p, i) => _model.AskAsync(p.Prompt, Stream(part).Child(condition).Child(i), _cancellation), _cancellation);
        Report(part, condition, "exact", [.. pairs.Select((p, i) => (p.Expected, replies[i].Text))], p => string.Equals(p.Expected, p.Text.Trim(), StringComparison.Ordinal));
        return [.. replies.Select(r => r.Text)];
    }

    private List<WorkedAttempt> Draw(string name, Func<StreamRandom, TariffQuestion, WorkedAttempt?> make)
    {
        var random = new StreamRandom(Stream("attempts").Child(name));
        var drawn = new List<WorkedAttempt>();
        while (drawn.Count < _options.N)
            if (make(random, TariffQuestion.Draw(random)) is { } attempt)
                drawn.Add(attempt);
        return drawn;
    }

    private void ReportAttempts(string part, string condition, IReadOnlyList<(TariffQuestion Question, string Text, long Tokens)> attempts)
    {
        var read = attempts.Select(a => (a.Question, Attempt: ReadAttempt.Of(Prompts, a.Text))).ToList();
        Report(part, condition, "holds", read, r => r.Attempt.Holds);
        Report(part, condition, "sound", read, r => r.Attempt.Sound(r.Question));
        Report(part, condition, "right", read, r => r.Attempt.Right(r.Question));
        Add(new(part, condition, "tokens", attempts.Average(a => (double)a.Tokens), attempts.Count));
    }

    /// <summary>Nothing is reported of nothing: a share of no attempts is no number.</summary>
    private void Report<T>(string part, string condition, string measure, IReadOnlyCollection<T> of, Func<T, bool> counts)
    {
        if (of.Count > 0)
            Add(new(part, condition, measure, of.Count(counts) / (double)of.Count, of.Count));
    }

    private void Add(Figure figure)
    {
        _figures.Add(figure);
        _progress?.Report(figure);
    }

    private StreamKey Stream(string name) => StreamKey.Root(_options.Seed).Child("tariff evaluation").Child(name);
}
