using System.Text.Json;
using Microsoft.Extensions.AI;
using SpeedupLlm.Gateway.Requests;
using SpeedupLlm.Gateway.Telemetry;

namespace SpeedupLlm.Gateway.Completions;

/// <summary>How an answer was reached, and all that it cost: usage over all hidden calls, and our own object.</summary>
/// <param name="Usage">The sum of all calls; null if a model did not say.</param>
/// <param name="Finish">OpenAI's word for why the answer ended.</param>
/// <param name="Report">The library's report; null in mode off.</param>
/// <param name="Treatment">How it was treated.</param>
/// <param name="Bypass">Why the gateway itself passed it by, or null.</param>
internal sealed record AnswerAccount(UsageDetails? Usage, string Finish, ExperienceReport? Report, Treatment Treatment, string? Bypass)
{
    /// <summary>What metrics count.</summary>
    public Spent ToSpent() => new(
        Usage?.InputTokenCount ?? 0, Usage?.OutputTokenCount ?? 0, [.. (Report?.Cost ?? []).Select(c => (c.Purpose.ToString().ToLowerInvariant(), c.Cost))],
        Report is { Stop: Reasoning.StopReason.Recalled } ? "answer" : Report?.Memory is { IsUsed: true } ? "hints" : "nothing", Report?.Memory?.Level.ToString() ?? "none")
    {
        IsExperienced = Report?.IsExperienced == true,
        Memory = Treatment.Options.Memory,
        Attempts = Report?.Attempts ?? 0,
        FullCost = Report?.FullCost,
        Episode = Report?.Episode,
    };

    /// <summary>OpenAI's usage, summed over all calls.</summary>
    public void WriteUsage(Utf8JsonWriter json)
    {
        if (Usage is null)
        {
            json.WriteNull("usage");
            return;
        }
        var (input, output) = (Usage.InputTokenCount ?? 0, Usage.OutputTokenCount ?? 0);
        json.WriteStartObject("usage");
        json.WriteNumber("prompt_tokens", input);
        json.WriteNumber("completion_tokens", output);
        json.WriteNumber("total_tokens", input + output);
        json.WriteStartObject("prompt_tokens_details");
        json.WriteNumber("cached_tokens", Usage.CachedInputTokenCount ?? 0);
        json.WriteEndObject();
        json.WriteStartObject("completion_tokens_details");
        json.WriteNumber("reasoning_tokens", Usage.ReasoningTokenCount ?? 0);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>Our object.</summary>
    public void WriteSpeedup(Utf8JsonWriter json)
    {
        json.WriteStartObject("speedup");
        if ((Bypass ?? Report?.Bypass) is { } bypass)
            json.WriteString("bypass", bypass);
        if (Report is not null)
            WriteReport(json, Report);
        json.WriteEndObject();
    }

    private void WriteReport(Utf8JsonWriter json, ExperienceReport report)
    {
        json.WriteString("mode", report.Mode.ToString().ToLowerInvariant());
        json.WriteBoolean("treated", report.IsExperienced);
        json.WriteNumber("propensity", report.Propensity);
        json.WriteString("episode", report.Episode);
        json.WriteString("scaling", Treatment.Options.Scaling);
        json.WriteNumber("attempts", report.Attempts);
        json.WriteNumber("failures", report.Failures);
        json.WriteBoolean("accepted", report.Accepted);
        json.WriteString("stop", report.Stop?.ToString().ToLowerInvariant());
        json.WriteStartObject("memory");
        json.WriteString("name", Treatment.Options.Memory);
        json.WriteBoolean("used", report.Memory?.IsUsed == true);
        json.WriteString("level", report.Memory?.Level.ToString());
        json.WriteString("why", report.Memory?.Why);
        json.WriteStartArray("sources");
        foreach (var source in report.Memory?.Sources ?? [])
            json.WriteStringValue(source);
        json.WriteEndArray();
        json.WriteString("degraded", report.Degraded);
        json.WriteEndObject();
        WriteCost(json, report);
        if (report.ToAccepted is { } time)
            json.WriteNumber("time_to_accepted_ms", Math.Round(time.TotalMilliseconds, 3));
    }

    private static void WriteCost(Utf8JsonWriter json, ExperienceReport report)
    {
        if (report.FullCost is { } full)
            json.WriteNumber("full_cost", full);
        json.WriteStartArray("cost");
        foreach (var cost in report.Cost)
        {
            json.WriteStartObject();
            json.WriteString("purpose", cost.Purpose.ToString().ToLowerInvariant());
            json.WriteNumber("calls", cost.Calls);
            json.WriteNumber("input", cost.Input);
            json.WriteNumber("cached_input", cost.CachedInput);
            json.WriteNumber("output", cost.Output);
            json.WriteNumber("trained", cost.Trained);
            json.WriteNumber("full_cost", cost.Cost);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }
}
