using System.Security.Cryptography;
using System.Text;

namespace SpeedupLlm.Benchmark;

/// <summary>Files that travel inside the assembly.</summary>
internal static class Resources
{
    /// <summary>SHA-256 of <c>docs/protocol.md</c> as it was when this was built, in hexadecimal.</summary>
    public static string ProtocolSha256 { get; } = Convert.ToHexStringLower(SHA256.HashData(Bytes("protocol.md")));

    /// <summary>A file's text.</summary>
    public static string Read(string name) => Encoding.UTF8.GetString(Bytes(name));

    private static byte[] Bytes(string name)
    {
        using var stream = typeof(Resources).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"The resource {name} was not built in.");
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    }
}
