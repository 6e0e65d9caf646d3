using SpeedupLlm.Benchmark.Experiments;

namespace SpeedupLlm.Benchmark.Sensitivity;

/// <summary>One factor that is varied around the protocol, over a few cells, all else being equal.</summary>
/// <param name="Name">Its name on the command line.</param>
/// <param name="What">What is varied, for people.</param>
/// <param name="Axis">What the values count.</param>
/// <param name="Protocol">The protocol's value, or what takes its place.</param>
/// <param name="Values">The values, in order.</param>
internal sealed record Sweep(string Name, string What, string Axis, string Protocol, IReadOnlyList<SweepValue> Values);

/// <summary>One value of the factor.</summary>
/// <param name="Label">The value, for people.</param>
/// <param name="X">Where it stands on the axis; null for values that are no numbers.</param>
/// <param name="Part">The run that shows it; values may share one and look at other levels of it.</param>
/// <param name="Settings">The run's settings.</param>
/// <param name="From">The first level of experience that counts.</param>
/// <param name="To">The last one.</param>
internal sealed record SweepValue(string Label, double? X, string Part, ExperimentSettings Settings, int From, int To);
