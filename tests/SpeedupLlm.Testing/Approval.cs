namespace SpeedupLlm.Testing;

/// <summary>Compares a text with a committed one. <c>SPEEDUP_ACCEPT=1</c> in the environment writes what is there instead; the change then shows in the diff.</summary>
public static class Approval
{
    /// <summary>Compares with <c>tests/{folder}/{name}.txt</c>.</summary>
    public static void Check(string folder, string name, string actual)
    {
        var file = Path.Combine(Repository.Root, "tests", folder, name + ".txt");
        actual = actual.ReplaceLineEndings("\n").TrimEnd('\n') + "\n";
        if (Environment.GetEnvironmentVariable("SPEEDUP_ACCEPT") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, actual);
            return;
        }
        Assert.True(File.Exists(file), $"{Path.GetRelativePath(Repository.Root, file)} is not there. Set SPEEDUP_ACCEPT=1 and run the test again to write it.");
        var expected = File.ReadAllText(file).ReplaceLineEndings("\n");
        Assert.True(expected == actual, $"{Path.GetRelativePath(Repository.Root, file)} differs {Difference(expected, actual)}. If that is meant, set SPEEDUP_ACCEPT=1 and run the test again.");
    }

    private static string Difference(string expected, string actual)
    {
        var (before, after) = (expected.Split('\n'), actual.Split('\n'));
        var line = before.Zip(after).TakeWhile(p => p.First == p.Second).Count();
        return FormattableString.Invariant($"at line {line + 1}: expected '{before.ElementAtOrDefault(line)}', is '{after.ElementAtOrDefault(line)}'");
    }
}
