using System.Buffers.Binary;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using SpeedupLlm.Transformer.Formats;

namespace SpeedupLlm.Transformer.Tests.Formats;

public sealed class SafeTensorsTests
{
    private static readonly Dictionary<string, string> s_metadata = new(StringComparer.Ordinal) { ["b"] = "税 \"quoted\"", ["a"] = "" };

    private static byte[] Sample()
    {
        var stream = new MemoryStream();
        SafeTensors.Write(stream,
            [new("w", [2, 3], new float[] { 1, -0f, float.NaN, float.MaxValue, 5, 6 }), new("empty", [0, 4], default), new("scalar", [], new float[] { 7 })],
            s_metadata);
        return stream.ToArray();
    }

    private static byte[] Raw(string header, int dataBytes)
    {
        var json = Encoding.UTF8.GetBytes(header);
        var bytes = new byte[8 + json.Length + dataBytes];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, json.Length);
        json.CopyTo(bytes, 8);
        return bytes;
    }

    [Fact]
    public void Read_OfWrite_GivesTheSameBits()
    {
        var content = SafeTensors.Read(Sample(), "sample");
        Assert.Equal(["w", "empty", "scalar"], content.Tensors.Select(t => t.Name));
        var w = content.Tensors.Single(t => t.Name == "w");
        Assert.Equal([2, 3], w.Shape);
        Assert.Equal([1, -0f, float.NaN, float.MaxValue, 5, 6], w.Values.ToArray());
        Assert.True(float.IsNegative(w.Values.Span[1]));
        Assert.Equal(s_metadata, content.Metadata);
    }

    [Fact]
    public void Write_Data_BeginAligned() => Assert.Equal(0, BinaryPrimitives.ReadInt64LittleEndian(Sample()) % 8);

    [Fact]
    public void Read_CutShortAnywhere_SaysSoInOneLine()
    {
        var sample = Sample();
        for (var length = 0; length < sample.Length; length++)
        {
            var error = Assert.Throws<InvalidDataException>(() => SafeTensors.Read(sample.AsSpan(0, length), "my.safetensors"));
            Assert.StartsWith("my.safetensors: it is cut short", error.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', error.Message);
        }
    }

    [Fact]
    public void Read_AnyByteChanged_ReadsOrSaysWhatIsWrong() =>
        Prop.ForAll(ArbMap.Default.ArbFor<(ushort At, byte To)>(), change =>
        {
            var sample = Sample();
            sample[change.At % sample.Length] = change.To;
            try
            {
                SafeTensors.Read(sample, "x");
            }
            catch (InvalidDataException e)
            {
                return e.Message.StartsWith("x: ", StringComparison.Ordinal) && !e.Message.Contains('\n', StringComparison.Ordinal);
            }
            return true;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(3000));

    [Theory]
    [InlineData("""{"w":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}}""", 4, "w is BF16, only F32 is read")]
    [InlineData("""{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""", 4, "the shape and place of w do not fit")]
    [InlineData("""{"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "the shape and place of w do not fit")]
    [InlineData("""{"w":{"dtype":"F32","shape":[2147483647,2147483647,4],"data_offsets":[0,4]}}""", 4, "the shape and place of w do not fit")]
    [InlineData("""{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 6, "2 bytes follow its last tensor")]
    [InlineData("""{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"w":{}}""", 4, "its header is not readable")]
    [InlineData("""{"w":{"dtype":null,"shape":[1],"data_offsets":[0,4]}}""", 4, "its header is not readable")]
    [InlineData("""{"w":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}""", 4, "its header is not readable")]
    [InlineData("[]", 0, "its header is not readable")]
    [InlineData("<!DOCTYPE html>", 0, "its header is not readable")]
    public void Read_Malformed_SaysWhatIsWrong(string header, int dataBytes, string expected)
    {
        var error = Assert.Throws<InvalidDataException>(() => SafeTensors.Read(Raw(header, dataBytes), "f"));
        Assert.StartsWith("f: " + expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_NotSafeTensors_SaysSo() => Assert.Equal("f: it has no safetensors header.",
        Assert.Throws<InvalidDataException>(() => SafeTensors.Read("<!DOCTYPE html><html></html>"u8, "f")).Message);
}
