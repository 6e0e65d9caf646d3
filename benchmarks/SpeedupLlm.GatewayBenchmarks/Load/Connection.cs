using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace SpeedupLlm.GatewayBenchmarks.Load;

/// <summary>One kept-alive HTTP/1.1 connection that does as little as it can, since it shares the machine with what is measured. Not thread-safe.</summary>
internal sealed class Connection(Uri to) : IDisposable
{
    private readonly byte[] _heard = new byte[64 * 1024];
    private Socket? _socket;

    /// <summary>Sends a request and waits for the end of its answer. A connection that was closed is opened again by the next request.</summary>
    /// <returns>The status; 0 if the connection broke or a stream ended without its end.</returns>
    public async ValueTask<int> AskAsync(ReadOnlyMemory<byte> request)
    {
        try
        {
            if (_socket is null)
            {
                _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                await _socket.ConnectAsync(IPAddress.Loopback, to.Port);
            }
            for (var rest = request; !rest.IsEmpty;)
                rest = rest[await _socket.SendAsync(rest)..];
            for (var length = 0; ;)
            {
                var read = await _socket.ReceiveAsync(_heard.AsMemory(length));
                if (read == 0)
                    break;
                length += read;
                if (StatusOf(_heard.AsSpan(0, length)) is { } status)
                    return status;
            }
        }
        catch (SocketException)
        {
            // counted as a failure
        }
        Dispose();
        return 0;
    }

    public void Dispose()
    {
        _socket?.Dispose();
        _socket = null;
    }

    /// <summary>The status once the answer is whole.</summary>
    private static int? StatusOf(ReadOnlySpan<byte> heard)
    {
        var end = heard.IndexOf("\r\n\r\n"u8);
        if (end < 0)
            return null;
        var status = int.Parse(heard[9..12], CultureInfo.InvariantCulture);
        var body = heard[(end + 4)..];
        if (LengthOf(heard[..end]) is { } length)
            return body.Length >= length ? status : null;
        if (!body.EndsWith("\r\n0\r\n\r\n"u8) && !body.SequenceEqual("0\r\n\r\n"u8))
            return null;
        // a stream that broke off has no end of its own
        return body.IndexOf("chat.completion.chunk"u8) >= 0 && body.IndexOf("data: [DONE]"u8) < 0 ? 0 : status;
    }

    private static int? LengthOf(ReadOnlySpan<byte> head)
    {
        foreach (var line in head.Split("\r\n"u8))
        {
            var header = head[line];
            if (header.Length > 16 && Ascii.EqualsIgnoreCase(header[..16], "Content-Length: "u8))
                return int.Parse(header[16..], CultureInfo.InvariantCulture);
        }
        return null;
    }
}
