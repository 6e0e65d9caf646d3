using System.Globalization;
using System.Text;

namespace SpeedupLlm.GatewayBenchmarks.Load;

/// <summary>Requests that are the same but for a number in the question. Immutable.</summary>
internal sealed class Requests
{
    private const string Number = "00000000";

    private readonly byte[] _bytes;
    private readonly int _number;

    /// <param name="to">The server.</param>
    /// <param name="headers">Its headers, each line ended.</param>
    /// <param name="stream">Whether a stream is asked for.</param>
    /// <param name="text">What else stands in the question.</param>
    /// <param name="members">More of the body's members, each with its comma.</param>
    /// <param name="path">The operation.</param>
    public Requests(Uri to, string headers, bool stream, string text = "", string members = "", string path = "/v1/chat/completions")
    {
        To = to;
        var body = $$"""{"model":"m","messages":[{"role":"system","content":"You are a patient assistant of a small shop. Answer in one short sentence, show how you reckoned, and end with a line that says Answer: and the number, without a unit."},{"role":"user","content":"A customer has {{Number}} apples in a basket and buys two more. {{text}}How many are there now? Say it so that a child understands it, and do not round anything."}],"temperature":0.5,"max_tokens":200,{{members}}"stream":{{(stream ? "true" : "false")}}}""";
        var head = string.Create(CultureInfo.InvariantCulture, $"POST {path} HTTP/1.1\r\nHost: {to.Authority}\r\n{headers}Content-Type: application/json\r\nAccept: */*\r\nContent-Length: {body.Length}\r\n\r\n");
        _bytes = Encoding.ASCII.GetBytes(head + body);
        _number = _bytes.AsSpan().LastIndexOf(Encoding.ASCII.GetBytes(Number));
    }

    public Uri To { get; }

    /// <summary>A copy that <see cref="Fill"/> may be called on.</summary>
    public byte[] Copy() => [.. _bytes];

    /// <summary>Writes the number into a copy.</summary>
    public void Fill(byte[] copy, long number) => (number % 100_000_000).TryFormat(copy.AsSpan(_number, Number.Length), out _, "D8", CultureInfo.InvariantCulture);
}
