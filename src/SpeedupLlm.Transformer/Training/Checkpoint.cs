using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using SpeedupLlm.Transformer.Model;

namespace SpeedupLlm.Transformer.Training;

/// <summary>How far training is: steps made, tokens seen, number of the next text.</summary>
internal readonly record struct TrainingPosition(long Step, long Tokens, long Next);

/// <summary>A training run on disk: format name, recipe, position, weights, both moments, and a SHA-256 of all that.</summary>
/// <remarks>Written beside the file and then renamed over it, so that a crash leaves the old one or the new one.</remarks>
internal static class Checkpoint
{
    private const string Format = "SpeedupLLM training checkpoint 1\n";

    public static void Write(string file, TrainingRecipe recipe, TrainingPosition position, Weights weights, FullUpdate update)
    {
        var beside = file + ".new";
        using (var stream = new FileStream(beside, FileMode.Create, FileAccess.ReadWrite))
        {
            using (var writer = new BinaryWriter(stream, Encoding.UTF8, leaveOpen: true))
            {
                writer.Write(Encoding.UTF8.GetBytes(Format));
                writer.Write(recipe.ToJson());
                writer.Write(position.Step);
                writer.Write(position.Tokens);
                writer.Write(position.Next);
                writer.Write(update.Steps);
                foreach (var numbers in (float[][])[weights.Values, update.First, update.Second])
                    writer.Write(MemoryMarshal.AsBytes(numbers.AsSpan()));
            }

            stream.Position = 0;
            stream.Write(SHA256.HashData(stream));
            stream.Flush(flushToDisk: true);
        }

        File.Move(beside, file, overwrite: true);
    }

    /// <summary>Fills weights and moments from a checkpoint of the same recipe.</summary>
    /// <exception cref="InvalidDataException">It is none, cut short, damaged, or of another recipe.</exception>
    public static TrainingPosition Read(string file, TrainingRecipe recipe, Weights weights, FullUpdate update)
    {
        var bytes = File.ReadAllBytes(file);
        var format = Encoding.UTF8.GetBytes(Format);
        if (!bytes.AsSpan().StartsWith(format))
            throw new InvalidDataException($"{file}: not a training checkpoint of this version.");
        if (bytes.Length < format.Length + SHA256.HashSizeInBytes || !SHA256.HashData(bytes.AsSpan(0, bytes.Length - SHA256.HashSizeInBytes)).AsSpan().SequenceEqual(bytes.AsSpan(bytes.Length - SHA256.HashSizeInBytes)))
            throw new InvalidDataException($"{file}: the training checkpoint is cut short or damaged.");

        using var reader = new BinaryReader(new MemoryStream(bytes, format.Length, bytes.Length - format.Length));
        if (reader.ReadString() != recipe.ToJson())
            throw new InvalidDataException($"{file}: the training checkpoint is of another recipe; use its recipe, or another file.");
        var position = new TrainingPosition(reader.ReadInt64(), reader.ReadInt64(), reader.ReadInt64());
        update.Steps = reader.ReadInt64();
        foreach (var numbers in (float[][])[weights.Values, update.First, update.Second])
            reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(numbers.AsSpan()));
        return position;
    }
}
