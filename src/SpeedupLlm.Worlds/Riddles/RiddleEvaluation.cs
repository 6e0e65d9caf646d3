using Microsoft.Extensions.AI;
using SpeedupLlm.Compute;
using SpeedupLlm.Prompts;
using SpeedupLlm.Reasoning;

namespace SpeedupLlm.Worlds.Riddles;

/// <summary>What a model can do in a world of riddles, task by task. All prompts are those of the library; the measures are Tariff World's.</summary>
internal sealed class RiddleEvaluation
{
    private static readonly CompactPrompts Prompts = new();

    private static readonly (string Name, Remembered[] Parts, Share Rules)[] Conditions =
    [
        ("none", [], Share.Trained), ("S1", [Remembered.S1], Share.Trained), ("S2", [Remembered.S2], Share.Trained), ("S3", [Remembered.S3], Share.Trained),
        ("S4", [Remembered.S4], Share.Trained), ("lesson", [Remembered.Lesson], Share.Trained), ("sibling's lesson", [Remembered.SiblingLesson], Share.Trained),
        ("3 × S3", [Remembered.S3, Remembered.S3, Remembered.S3], Share.Trained), ("other subject", [Remembered.Other], Share.Trained),
        ("stale", [Remembered.Stale], Share.Trained), ("S3 + 2 others", [Remembered.S3, Remembered.Other, Remembered.Other], Share.Trained),
        ("filler", [Remembered.Filler], Share.Trained), ("none, held-out rules", [], Share.HeldOut), ("S3, held-out rules", [Remembered.S3], Share.HeldOut),
    ];

    // only the first two are good
    private static readonly (string Name, Func<StreamRandom, Riddle, RiddleAttempt?> Make)[] Judged =
    [
        ("sound", (_, r) => RiddleAttempt.True(r)), ("harmless slip", RiddleAttempt.WithHarmlessSlip), ("slip", RiddleAttempt.WithSlip), ("other answer", RiddleAttempt.WithOtherAnswer),
        ("forged", (random, r) => RiddleAttempt.Forge(r, RiddleAttempt.Tempting(random, r), Forgery.Ignored)),
        ("forged and bent", (random, r) => RiddleAttempt.Forge(r, RiddleAttempt.Tempting(random, r), Forgery.Bent)),
        ("forged and misquoted", (random, r) => RiddleAttempt.Forge(r, RiddleAttempt.Tempting(random, r), Forgery.Misquoted)),
        ("failed", (random, r) => RiddleAttempt.TryWith(r, r.NearMiss(random, []))),
    ];

    private readonly RuleBook _book;
    private readonly EvaluatedModel _model;
    private readonly EvaluationOptions _options;
    private readonly List<Figure> _figures = [];
    private readonly IProgress<Figure>? _progress;
    private readonly CancellationToken _cancellation;

    private RiddleEvaluation(RuleBook book, IChatClient model, EvaluationOptions options, IProgress<Figure>? progress, CancellationToken cancellationToken)
    {
        _book = book;
        _model = new(model, options.Concurrency);
        _options = options;
        _progress = progress;
        _cancellation = cancellationToken;
    }

    /// <summary>The parts, in the order in which they run.</summary>
    public static IReadOnlyList<string> Parts { get; } = ["guess", "think", "propose", "judge", "tasks", "lessons", "tuning"];

    /// <summary>Evaluates a model; <c>tuning</c> is left out of one that cannot be fine-tuned.</summary>
    /// <exception cref="ArgumentException">An unknown part.</exception>
    public static async Task<IReadOnlyList<Figure>> RunAsync(
        RuleBook book, IChatClient model, EvaluationOptions options, IProgress<Figure>? progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.N, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Concurrency, 1);
        var parts = options.Parts ?? Parts;
        if (parts.FirstOrDefault(p => !Parts.Contains(p, StringComparer.Ordinal)) is { } unknown)
            throw new ArgumentException($"There is no part '{unknown}'; the parts are {string.Join(", ", Parts)}.", nameof(options));
        var evaluation = new RiddleEvaluation(book, model, options, progress, cancellationToken);
        foreach (var part in Parts.Where(p => parts.Contains(p, StringComparer.Ordinal)))
            await evaluation.RunAsync(part);
        return evaluation._figures;
    }

    private Task RunAsync(string part) => part switch
    {
        "guess" => SolveAsync(PromptTask.Guess),
        "think" => SolveAsync(PromptTask.Think),
        "propose" => ProposeAsync(),
        "judge" => JudgeAsync(),
        "tasks" => TasksAsync(),
        "lessons" => LessonsAsync(),
        _ => TuneAsync(),
    };

    private async Task SolveAsync(PromptTask task)
    {
        foreach (var condition in Conditions)
        {
            var asked = Questions(condition.Parts, condition.Rules);
            var replies = await _model.MapAsync(asked, (a, i) => _model.AskAsync(
                Prompts.Solve(task, RiddleTexts.Asked(a.Riddle), a.Context.Hints), Stream(CompactPrompts.Word(task)).Child(condition.Name).Child(i), _cancellation), _cancellation);
            ReportAttempts(CompactPrompts.Word(task), condition.Name, [.. asked.Select((a, i) => (a.Riddle, replies[i].Text, replies[i].Tokens))]);
        }
    }

    /// <summary>Paths of proposed steps, extended with one proposal each.</summary>
    private async Task ProposeAsync()
    {
        foreach (var condition in Conditions.Where(c => c.Name is "none" or "S3" or "S4"))
        {
            var asked = Questions(condition.Parts, condition.Rules);
            var paths = await _model.MapAsync(asked, async (a, i) =>
            {
                var (path, tokens) = ("", 0L);
                for (var step = 0; step < a.Riddle.Pose.Clues.Count + 2 && !path.EndsWith(" no.", StringComparison.Ordinal) && !Prompts.IsAnswered(path); step++)
                {
                    var reply = await _model.AskAsync(Prompts.Propose(RiddleTexts.Asked(a.Riddle), a.Context.Hints, path),
                        Stream("propose").Child(condition.Name).Child(i).Child(step), _cancellation);
                    path = (path + " " + reply.Text.Trim()).Trim();
                    tokens += reply.Tokens;
                }

                return (a.Riddle, path, tokens);
            }, _cancellation);
            ReportAttempts("propose", condition.Name, paths);
        }
    }

    /// <summary>The judge on attempts of known sort, each stage on its own, and on the model's own attempts.</summary>
    private async Task JudgeAsync()
    {
        foreach (var (name, make) in Judged)
        {
            var attempts = Draw(name, make);
            var verdicts = await _model.MapAsync(attempts, (a, i) => VerdictAsync(a.Riddle, a.Text, Stream("judge").Child(name).Child(i)), _cancellation);
            Report("judge", name, "says good", verdicts, v => v == 1);
            Report("judge", name, "unscored", verdicts, v => v is null);
        }

        var mixed = Draw("mixed", RiddleAttempt.Judged);
        var known = mixed.ConvertAll(RiddleVerification.Of);
        await ExactAsync("judge", "restate", [.. mixed.Select((a, i) => (Prompts.Restate(RiddleTexts.Asked(a.Riddle), RiddleTexts.Attempted(a)), known[i].Restated))]);
        await ExactAsync("judge", "verify", [.. known.Select(v => (Prompts.Verify(v.Restated), v.Verified))]);
        await ExactAsync("judge", "compare", [.. mixed.Select((a, i) => (Prompts.Compare(RiddleTexts.Asked(a.Riddle), RiddleTexts.Attempted(a), known[i].Verified), known[i].Compared))]);

        foreach (var condition in Conditions.Where(c => c.Name is "none" or "S3" or "S4"))
        {
            var own = await _model.MapAsync(Questions(condition.Parts, condition.Rules), async (a, i) =>
            {
                var stream = Stream("own").Child(condition.Name).Child(i);
                var reply = await _model.AskAsync(Prompts.Solve(PromptTask.Guess, RiddleTexts.Asked(a.Riddle), a.Context.Hints), stream, _cancellation);
                var read = ReadAttempt.Of(Prompts, reply.Text, a.Riddle);
                // an attempt without an answer is refused without the judge
                var verdict = read.Final is null ? 0 : await VerdictAsync(a.Riddle, reply.Text, stream.Child("judge"));
                return (Sound: read.Sound(a.Riddle), Right: read.Right(a.Riddle), read.Final, Verdict: verdict);
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
        var failed = Draw("failed", Judged[^1].Make);
        var sound = Draw("sound", Judged[0].Make);
        (Prompt, string) Valued(RiddleAttempt a, int steps) => (Prompts.Value(RiddleTexts.Asked(a.Riddle), string.Join(' ', a.Steps.Take(steps))), RiddleTexts.ValueOf(a, steps));
        await ExactAsync("value", "good paths", [.. sound.SelectMany(a => Enumerable.Range(1, a.Steps.Count).Select(steps => Valued(a, steps)))]);
        await ExactAsync("value", "failed paths", [.. failed.Select(a => Valued(a, a.Steps.Count))]);
        foreach (var (name, make) in Judged)
            await ExactAsync("feedback", name, [.. Draw(name, make).Select(a => (Prompts.Feedback(RiddleTexts.Asked(a.Riddle), RiddleTexts.Attempted(a)), RiddleVerification.Of(a).Remark))]);
        foreach (var (name, attempts) in new[] { ("failed", failed), ("slip", Draw("slip", RiddleAttempt.WithSlip)) })
        {
            var refined = await _model.MapAsync(attempts, (a, i) => _model.AskAsync(
                Prompts.Refine(RiddleTexts.Asked(a.Riddle), [], RiddleTexts.Attempted(a), RiddleVerification.Of(a).Remark), Stream("refine").Child(name).Child(i), _cancellation), _cancellation);
            ReportAttempts("refine", name, [.. attempts.Select((a, i) => (a.Riddle, refined[i].Text, refined[i].Tokens))]);
        }
    }

    private async Task LessonsAsync()
    {
        var random = new StreamRandom(Stream("lessons"));
        (string, Prompt, string)[] Make()
        {
            var riddle = Riddle.Draw(random, _book);
            Riddle[] several = [riddle, Riddle.Draw(random, _book), Riddle.Draw(random, _book)];
            Riddle[] same = [riddle, riddle.Again(random), riddle.Again(random)];
            var old = Enumerable.Range(0, RiddleTexts.RunningLesson).Select(_ => Riddle.Draw(random, _book)).ToList();
            return
            [
                ("one", Prompts.Reflect([RiddleTexts.Worked(riddle)]), RiddleTexts.Lessons([riddle])),
                ("three subjects", Prompts.Reflect([.. several.Select(RiddleTexts.Worked)]), RiddleTexts.Lessons(several)),
                ("three of one subject", Prompts.Reflect([.. same.Select(RiddleTexts.Worked)]), RiddleTexts.Lessons([riddle])),
                ("first update", Prompts.Update("", RiddleTexts.Worked(riddle), 400), RiddleTexts.Lessons([riddle])),
                ("update of four", Prompts.Update(RiddleTexts.Lessons(old), RiddleTexts.Worked(riddle), 400), RiddleTexts.Lessons(RiddleTexts.Updated(old, riddle))),
            ];
        }

        foreach (var lessons in Enumerable.Range(0, _options.N).SelectMany(_ => Make()).GroupBy(m => m.Item1, StringComparer.Ordinal))
            await ExactAsync("lesson", lessons.Key, [.. lessons.Select(m => (m.Item2, m.Item3))]);
    }

    /// <summary>Guesses without memory after fine-tuning on one or three cases of a subject; a sixth as many subjects as questions elsewhere, six samples each.</summary>
    private async Task TuneAsync()
    {
        if (_model.Trainer is not { } trainer)
            return;
        foreach (var cases in new[] { 1, 3 })
        {
            var right = new SortedDictionary<string, List<bool>>(StringComparer.Ordinal);
            for (var subject = 0; subject < Math.Max(1, _options.N / 6); subject++)
            {
                var stream = Stream("tuning").Child(subject);
                var random = new StreamRandom(stream);
                var riddle = Riddle.Draw(random, _book);
                var asked = new (string Name, Riddle Riddle)[]
                {
                    ("S1", riddle), ("S2", riddle.Reworded(random)), ("S3", riddle.Again(random)),
                    ("S4", Riddle.Draw(random, _book, riddle.Name.Sibling(random), _book.DrawKin(random, Share.Trained, riddle.Rule), not: riddle.Kind)),
                    ("other", Riddle.Draw(random, _book)),
                };
                var pairs = Enumerable.Range(0, cases).Select(i => i == 0 ? riddle : riddle.Again(random))
                    .SelectMany(c => Prompts.TrainingPairs(PromptTask.Guess, RiddleTexts.Worked(c))).ToList();
                var trained = await trainer.TrainAsync(null, pairs, stream.Child("train").Child(cases), _cancellation);
                var replies = await _model.MapAsync([.. asked.SelectMany(a => Enumerable.Repeat(a, 6))], async (a, i) => (a.Name, Right: ReadAttempt.Of(Prompts, (await _model.AskAsync(
                    Prompts.Solve(PromptTask.Guess, RiddleTexts.Asked(a.Riddle), []), stream.Child("guess").Child(i), _cancellation, trained.Adapter)).Text, a.Riddle).Right(a.Riddle)), _cancellation);
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
    private async Task<double?> VerdictAsync(Riddle riddle, string text, StreamKey stream)
    {
        var (question, attempt) = (RiddleTexts.Asked(riddle), new Attempt(0, text, Prompts.Final(text), default, null));
        var restated = await _model.AskAsync(Prompts.Restate(question, attempt), stream.Child("restate"), _cancellation);
        var verified = await _model.AskAsync(Prompts.Verify(restated.Text), stream.Child("verify"), _cancellation);
        var compared = await _model.AskAsync(Prompts.Compare(question, attempt, verified.Text), stream.Child("compare"), _cancellation);
        return Prompts.ReadVerdict(compared.Text).Value;
    }

    private async Task ExactAsync(string part, string condition, IReadOnlyList<(Prompt Prompt, string Expected)> pairs)
    {
        var replies = await _model.MapAsync(pairs, (p, i) => _model.AskAsync(p.Prompt, Stream(part).Child(condition).Child(i), _cancellation), _cancellation);
        Report(part, condition, "exact", [.. pairs.Select((p, i) => (p.Expected, replies[i].Text))], p => string.Equals(p.Expected, p.Text.Trim(), StringComparison.Ordinal));
    }

    /// <summary>Riddles with their contexts; conditions ask alike questions.</summary>
    private List<(Riddle Riddle, RiddleContext Context)> Questions(IReadOnlyList<Remembered> parts, Share rules) =>
    [
        .. Enumerable.Range(0, _options.N).Select(i =>
        {
            var riddle = Riddle.Draw(new StreamRandom(Stream("questions").Child(i)), _book, rules);
            return (riddle, RiddleContext.Of(new StreamRandom(Stream("questions").Child(i).Child("context")), riddle, parts, rules));
        }),
    ];

    private List<RiddleAttempt> Draw(string name, Func<StreamRandom, Riddle, RiddleAttempt?> make)
    {
        var random = new StreamRandom(Stream("attempts").Child(name));
        var drawn = new List<RiddleAttempt>();
        while (drawn.Count < _options.N)
            if (make(random, Riddle.Draw(random, _book)) is { } attempt)
                drawn.Add(attempt);
        return drawn;
    }

    private void ReportAttempts(string part, string condition, IReadOnlyList<(Riddle Riddle, string Text, long Tokens)> attempts)
    {
        var read = attempts.Select(a => (a.Riddle, Attempt: ReadAttempt.Of(Prompts, a.Text, a.Riddle))).ToList();
        Report(part, condition, "holds", read, r => r.Attempt.Holds);
        Report(part, condition, "sound", read, r => r.Attempt.Sound(r.Riddle));
        Report(part, condition, "right", read, r => r.Attempt.Right(r.Riddle));
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

    private StreamKey Stream(string name) => StreamKey.Root(_options.Seed).Child(_book.Name + " evaluation").Child(name);
}
