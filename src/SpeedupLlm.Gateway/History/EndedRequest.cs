using SpeedupLlm.Gateway.Telemetry;

namespace SpeedupLlm.Gateway.History;

/// <summary>A request that ended; holds nothing of its text.</summary>
/// <param name="Number">Counts up in this process.</param>
/// <param name="At">When it ended, UTC.</param>
/// <param name="Operation">What was asked for: <c>chat</c>, <c>models</c>, …</param>
/// <param name="Way">One of <see cref="Ways"/>, or another of <see cref="RequestTelemetry"/>.</param>
/// <param name="Model">The model, if it is one of the configuration.</param>
/// <param name="Status">The HTTP status.</param>
/// <param name="Took">Time to the end of the answer.</param>
/// <param name="Spent">What it took; null if it was not measured.</param>
internal sealed record EndedRequest(long Number, DateTimeOffset At, string Operation, string Way, string Model, int Status, TimeSpan Took, Spent? Spent)
{
    public const string Forwarded = RequestTelemetry.Forwarded, Searched = "searched", FromMemory = "from memory";

    /// <summary>The ways that answers come.</summary>
    public static IReadOnlyList<string> Ways { get; } = [Forwarded, Searched, FromMemory];

    public static EndedRequest Of(RequestTelemetry telemetry, long number, DateTimeOffset at) => new(
        number, at, telemetry.Operation,
        telemetry switch
        {
            { Way: not RequestTelemetry.Treated } => telemetry.Way,
            { Spent.IsExperienced: false } => Forwarded,
            { Spent.Recalled: "answer" } => FromMemory,
            _ => Searched,
        },
        telemetry.Model, telemetry.Status, telemetry.Elapsed, telemetry.Spent);
}
