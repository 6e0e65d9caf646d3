using SpeedupLlm.GatewayBenchmarks;
using SpeedupLlm.GatewayBenchmarks.Sections;
using SpeedupLlm.GatewayBenchmarks.Servers;

// every figure stands beside the same load straight to the upstream, in the same run
var settings = Settings.Parse(args.Skip(1));
switch (args.FirstOrDefault())
{
    case FakeUpstream.Role:
        await FakeUpstream.RunAsync();
        return 0;
    case BareYarp.Role:
        await BareYarp.RunAsync(args[1]);
        return 0;
    case "closed":
        await ClosedSection.RunAsync(settings);
        return 0;
    case "open":
        await OpenSection.RunAsync(settings);
        return 0;
    case "cached":
        await CachedSection.RunAsync(settings);
        return 0;
    case "soak":
        await SoakSection.RunAsync(settings);
        return 0;
    case "all":
        await ClosedSection.RunAsync(settings);
        await OpenSection.RunAsync(settings);
        await CachedSection.RunAsync(settings);
        await SoakSection.RunAsync(settings);
        return 0;
    default:
        await Console.Error.WriteLineAsync("""
            Benchmarks of the gateway: closed open cached soak all
              --out DIR         also writes DIR/SECTION.txt
              --seconds N       of each measurement, after a quarter as long to warm up (default 4)
              --repeats N       of each measurement, in turn with the others (default 5)
              --connections L   of the closed loop (default 1,64,512)
              --targets L       of direct,yarp,portkey,off,observe,on (default all)
              --rate N          requests a second of the open loop (default 2000)
              --minutes N       of the soak (default 30)
            """);
        return 2;
}
