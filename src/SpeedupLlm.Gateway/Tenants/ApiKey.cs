using System.Security.Cryptography;
using System.Text;

namespace SpeedupLlm.Gateway.Tenants;

/// <summary>Keys and their hashes. A key has 256 random bits, so one round of SHA-256 hides it; only the hash is ever written down.</summary>
public static class ApiKey
{
    /// <summary>What a hash begins with.</summary>
    public const string Prefix = "sha256:";

    /// <summary>A new key.</summary>
    public static string New() => "sk-speedup-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));

    /// <summary>The hash of a key, as the configuration wants it.</summary>
    public static string HashOf(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return Prefix + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));
    }
}
