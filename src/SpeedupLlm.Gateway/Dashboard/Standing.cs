using SpeedupLlm.Experience;

namespace SpeedupLlm.Gateway.Dashboard;

/// <summary>How an episode stands, in words.</summary>
internal static class Standing
{
    public static string Of(Episode episode) => episode switch
    {
        { Suspicion: not null } => "set aside",
        { Verdict: Verdict.Verified } => "right",
        { Verdict: Verdict.Rejected } => "wrong",
        { Usable: true } => "accepted",
        _ => "not accepted",
    };

    /// <summary>The class that it is coloured by.</summary>
    public static string Style(Episode episode) => episode switch
    {
        { Suspicion: not null } or { Verdict: Verdict.Rejected } => "off",
        { Usable: true } => "on",
        _ => "wait",
    };
}
