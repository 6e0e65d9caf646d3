namespace SpeedupLlm.Testing;

/// <summary>The working tree that the tests run in.</summary>
public static class Repository
{
    /// <summary>Its root.</summary>
    public static string Root { get; } = Find();

    /// <summary>A file of the shared data beside the repository, or null where there is none: tests on it say so and do less.</summary>
    public static string? SharedData(string name) => new[] { "shared", "../shared" }
        .Select(folder => Path.Combine(Root, folder, "data", name))
        .FirstOrDefault(File.Exists);

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "SpeedupLlm.slnx")))
                return folder.FullName;
        }
        throw new DirectoryNotFoundException("The tests run outside the repository.");
    }
}
