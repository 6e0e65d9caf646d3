using SpeedupLlm.Cli;

return await CommandLine.RunAsync(args);
