using Microsoft.Extensions.AI;
using SpeedupLlm.Experience;
using SpeedupLlm.Memory;

namespace SpeedupLlm.Benchmark.Rivals;

/// <summary>
/// One running text that the model curates after every question, and that stands in every prompt (Dynamic Cheatsheet, arXiv 2504.07952, cumulative form).
/// </summary>
/// <remarks>
/// The curator sees the model's own answer, right or wrong: nothing is held back because the judge refused it. That, and that nothing is
/// ever begun anew, sets it apart from <see cref="ReflectUpdate"/>. A model call a question. Its prompt is that of updating a lesson.
/// </remarks>
internal sealed class DynamicCheatsheet : IMemory
{
    public const string CatalogueName = "dynamic-cheatsheet";

    private const string Kind = "cheatsheet", Key = "current";
    private const int MaximumCharacters = 1200;

    public string Name => CatalogueName;

    public async ValueTask<Recalled> RecallAsync(Question question, IMemoryContext context, CancellationToken cancellationToken) =>
        await context.Store.GetAsync(context.Scope, Kind, Key, cancellationToken).ConfigureAwait(false) is { } sheet
            ? Recalled.Nothing with { Hints = [new(HintKind.Lesson, sheet.Text, null, $"{Kind}:{Key}")] }
            : Recalled.Nothing;

    public ValueTask LearnAsync(Episode episode, IMemoryContext context, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public async ValueTask ObserveAsync(Solution solution, decimal cost, IMemoryContext context, CancellationToken cancellationToken)
    {
        if (solution.Best is not { Complete: true } best)
            return;
        var held = await context.Store.GetAsync(context.Scope, Kind, Key, cancellationToken).ConfigureAwait(false);
        var prompt = context.Prompts.Update(held?.Text ?? "", new(solution.Question.Text, context.Prompts.Worked(best.Text)), MaximumCharacters);
        var reply = await context.AskAsync(prompt, context.Stream.Child(CatalogueName), cancellationToken).ConfigureAwait(false);
        var text = reply.Text.Trim();
        // a text that was cut off, or is empty, leaves the sheet as it was
        if (text.Length is 0 or > MaximumCharacters || (reply.Finish is { } finish && finish != ChatFinishReason.Stop))
            return;
        await context.Store.PutAsync(new() { Kind = Kind, Key = Key, Scope = context.Scope, Text = text, Version = held?.Version ?? 0, At = context.Now }, cancellationToken).ConfigureAwait(false);
    }
}
