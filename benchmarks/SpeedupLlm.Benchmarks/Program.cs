using SpeedupLlm.Benchmarks;

// every benchmark prints a ratio to a named reference of the same run
switch (args.FirstOrDefault())
{
    case "matrix":
        MatrixProduct.Run();
        return 0;
    case "recall":
        Recall.Run();
        return 0;
    case "store":
        await StoreSpeed.RunAsync(args[1..]);
        return 0;
    case "postgres":
        await PostgresSpeed.RunAsync(args[1..]);
        return 0;
    case "workers":
        await SharedGrid.RunAsync(args[1..]);
        return 0;
    case "ask":
        await AskLatency.RunAsync(args[1..]);
        return 0;
    case "auto":
        await AutoOverhead.RunAsync(args[1..]);
        return 0;
    case "training-parts":
        TrainingParts.Run();
        return 0;
    case "fine-tuning":
        FineTuningSpeed.Run();
        return 0;
    case "training-canary":
        TrainingCanary.Run(args[1..]);
        return 0;
    case "training":
        TrainingSpeed.Run(args[1..]);
        return 0;
    case "decoding":
        await Decoding.RunAsync(context: 128);
        return 0;
    default:
        Console.Error.WriteLine("Benchmarks: matrix training training-parts training-canary fine-tuning decoding recall store postgres workers ask auto");
        return 2;
}
