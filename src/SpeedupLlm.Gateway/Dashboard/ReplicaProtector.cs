using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.DataProtection;

namespace SpeedupLlm.Gateway.Dashboard;

/// <summary>Protects cookies and forms with keys that all replicas of one configuration derive alike (HKDF-SHA256, AES-256-GCM), so that each reads what another wrote. Thread-safe.</summary>
/// <remarks>
/// Whoever reads the configuration could make such a cookie. It opens nothing: the session that a cookie names must be one of <see cref="Sessions"/>, whose
/// names are random and were given to somebody with the admin key.
/// </remarks>
internal sealed class ReplicaProtector : IDataProtector
{
    private const int KeyBytes = 32, NonceBytes = 12, TagBytes = 16;

    private readonly byte[] _key;

    private ReplicaProtector(byte[] key) => _key = key;

    /// <summary>The protector of a configuration: by the hash of its admin key, and without one by a key that ends with the process.</summary>
    public static ReplicaProtector Of(string? adminKey) =>
        new(adminKey is null ? RandomNumberGenerator.GetBytes(KeyBytes) : HKDF.Extract(HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(adminKey), "speedup dashboard"u8.ToArray()));

    public IDataProtector CreateProtector(string purpose) => new ReplicaProtector(HKDF.Expand(HashAlgorithmName.SHA256, _key, KeyBytes, Encoding.UTF8.GetBytes(purpose)));

    /// <summary>Nonce, tag and ciphertext.</summary>
    public byte[] Protect(byte[] plaintext)
    {
        var data = new byte[NonceBytes + TagBytes + plaintext.Length];
        var nonce = data.AsSpan(0, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        using var cipher = new AesGcm(_key, TagBytes);
        cipher.Encrypt(nonce, plaintext, data.AsSpan(NonceBytes + TagBytes), data.AsSpan(NonceBytes, TagBytes));
        return data;
    }

    /// <exception cref="CryptographicException">It was not protected by this key, or was changed.</exception>
    public byte[] Unprotect(byte[] protectedData)
    {
        if (protectedData.Length < NonceBytes + TagBytes)
            throw new CryptographicException("What is protected is longer.");
        var plaintext = new byte[protectedData.Length - NonceBytes - TagBytes];
        using var cipher = new AesGcm(_key, TagBytes);
        cipher.Decrypt(protectedData.AsSpan(0, NonceBytes), protectedData.AsSpan(NonceBytes + TagBytes), protectedData.AsSpan(NonceBytes, TagBytes), plaintext);
        return plaintext;
    }
}
