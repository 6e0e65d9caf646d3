using SpeedupLlm.Compute;
using SpeedupLlm.Transformer.Model;

namespace SpeedupLlm.Transformer.Training;

/// <summary>How far training is.</summary>
/// <param name="Step">Steps made.</param>
/// <param name="Tokens">Tokens seen.</param>
/// <param name="Loss">Loss since the last report.</param>
/// <param name="GradientNorm">Of the last batch, before clipping.</param>
/// <param name="Rate">Learning rate of the last step.</param>
/// <param name="TokensPerSecond">Since the last report.</param>
public sealed record TrainingProgress(long Step, long Tokens, LossSums Loss, double GradientNorm, double Rate, double TokensPerSecond);

/// <summary>How training runs on this machine; none of it changes a bit of the result.</summary>
public sealed record TrainingRun
{
    /// <summary>Threads, the caller's among them.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>Steps between two reports.</summary>
    public int ReportEvery { get; init; } = 100;

    /// <summary>Called on the training thread.</summary>
    public Action<TrainingProgress>? Report { get; init; }

    /// <summary>File that training can be resumed from, or null for none.</summary>
    public string? CheckpointFile { get; init; }

    /// <summary>Time between two checkpoints; one is also written when training ends or is cancelled.</summary>
    public TimeSpan CheckpointEvery { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>The clock of reports and checkpoints.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}

/// <summary>Trains a decoder from nothing on numbered texts.</summary>
/// <remarks>
/// A batch is the next texts of the source up to a number of tokens, so how far training is, is one number, and a resumed run has the bits of one that never stopped.
/// Texts are not sorted by length: they are packed without padding, so there is nothing to win.
/// </remarks>
/// <param name="recipe">What to train and how.</param>
/// <param name="source">The text with a number; the same number always gives the same text. Called on the training thread, in order.</param>
public sealed class Trainer(TrainingRecipe recipe, Func<long, TrainingExample> source)
{
    /// <summary>Trains to the end, or from a checkpoint to the end.</summary>
    /// <returns>The trained weights.</returns>
    /// <exception cref="ArgumentException">The recipe or a text is out of range.</exception>
    /// <exception cref="InvalidDataException">The checkpoint is cut short, damaged, or of another recipe; the message names the file.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; a checkpoint was written if there is a file for it.</exception>
    public Weights Train(TrainingRun run, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(run);
        recipe.Validated();
        var weights = Weights.Initial(recipe.Shape, StreamKey.Root(recipe.Seed).Child("initial weights"));
        using var workers = new Workers(run.Threads);
        using var gradient = new BatchGradient(weights, workers, recipe.SlotTokens);
        var update = new FullUpdate(weights, gradient);
        var position = default(TrainingPosition);
        if (run.CheckpointFile is { } file && File.Exists(file))
        {
            position = Checkpoint.Read(file, recipe, weights, update);
            gradient.Repack();
        }

        var batch = new List<TrainingExample>();
        var (losses, reported, reportedAt, savedAt) = (default(LossSums), position.Tokens, run.Time.GetTimestamp(), run.Time.GetTimestamp());
        while (position.Tokens < recipe.Tokens)
        {
            if (cancellation.IsCancellationRequested)
            {
                Save(run, position, weights, update);
                cancellation.ThrowIfCancellationRequested();
            }

            var tokens = NextBatch(batch, position.Next);
            losses += gradient.Compute(batch);
            var rate = recipe.RateAt(position.Step, position.Tokens);
            var norm = update.Step(rate, recipe);
            position = new(position.Step + 1, position.Tokens + tokens, position.Next + batch.Count);

            if (position.Step % run.ReportEvery == 0 || position.Tokens >= recipe.Tokens)
            {
                var seconds = run.Time.GetElapsedTime(reportedAt).TotalSeconds;
                run.Report?.Invoke(new(position.Step, position.Tokens, losses, norm, rate, (position.Tokens - reported) / seconds));
                (losses, reported, reportedAt) = (default, position.Tokens, run.Time.GetTimestamp());
            }

            if (run.Time.GetElapsedTime(savedAt) >= run.CheckpointEvery)
            {
                Save(run, position, weights, update);
                savedAt = run.Time.GetTimestamp();
            }
        }

        Save(run, position, weights, update);
        return weights;
    }

    private int NextBatch(List<TrainingExample> batch, long next)
    {
        batch.Clear();
        var tokens = 0;
        while (true)
        {
            var example = source(next + batch.Count).Validated(recipe.Shape);
            if (batch.Count > 0 && tokens + example.Tokens.Length > recipe.BatchTokens)
                return tokens;
            batch.Add(example);
            tokens += example.Tokens.Length;
        }
    }

    private void Save(TrainingRun run, TrainingPosition position, Weights weights, FullUpdate update)
    {
        if (run.CheckpointFile is { } file)
            Checkpoint.Write(file, recipe, position, weights, update);
    }
}
