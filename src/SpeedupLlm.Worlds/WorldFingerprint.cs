using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using SpeedupLlm.Compute;
using SpeedupLlm.Relevancy;

namespace SpeedupLlm.Worlds;

/// <summary>A hash over a world's pieces and a sample of its texts and questions: nobody has to remember to count a version up.</summary>
internal static class WorldFingerprint
{
    /// <summary>Such as <c>tariff-</c> and 16 hexadecimal digits.</summary>
    public static string Of(IWorld world)
    {
        var stream = StreamKey.Root(0).Child("fingerprint");
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        void Add(string text) => hash.AppendData(Encoding.UTF8.GetBytes(text + "\n"));
        foreach (var piece in world.Pieces)
            Add(piece);
        for (var i = 0; i < 400; i++)
        {
            var text = world.Sample(stream, i, withMemory: i % 4 > 0);
            Add(text.Prompt.Messages[^1].Text);
            foreach (var segment in text.Target)
                Add(string.Create(CultureInfo.InvariantCulture, $"{segment.Weight} {segment.Text}"));
        }

        for (var i = 0; i < 20; i++)
            foreach (var similarity in new[] { SimilarityLevel.S1, SimilarityLevel.S2, SimilarityLevel.S3, SimilarityLevel.S4 })
                Add(world.Group(i, Split.Development, stream).At(similarity, i % 5).Question);
        return $"{world.Name}-{Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 8))}";
    }
}
