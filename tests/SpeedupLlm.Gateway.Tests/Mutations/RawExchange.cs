using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace SpeedupLlm.Gateway.Tests.Mutations;

/// <summary>An answer as it came: its status, or null if the connection ended without one.</summary>
internal sealed record RawAnswer(int? Status, string Text);

/// <summary>One request on a connection of its own, below any client that would refuse to send it.</summary>
internal static class RawExchange
{
    /// <exception cref="OperationCanceledException">No answer in time.</exception>
    public static async Task<RawAnswer> SendAsync(Uri to, MutatedRequest request, CancellationToken cancellationToken)
    {
        // gone at once when it is disposed: a hundred thousand connections must not linger
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, LingerState = new(true, 0) };
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, to.Port), cancellationToken);
        var heard = new ArrayBufferWriter<byte>();
        try
        {
            for (ReadOnlyMemory<byte> rest = request.Bytes; !rest.IsEmpty;)
                rest = rest[await socket.SendAsync(rest, cancellationToken)..];
            if (request.Farewell == Farewell.Resets)
                return new(null, "");
            if (request.Farewell == Farewell.Ends)
                socket.Shutdown(SocketShutdown.Send);
            for (int read; (read = await socket.ReceiveAsync(heard.GetMemory(4096), cancellationToken)) > 0;)
            {
                heard.Advance(read);
                if (IsWhole(heard.WrittenSpan, request.IsHead))
                    break;
            }
        }
        catch (SocketException)
        {
            // who is sent nonsense may hang up; what was heard before counts
        }
        var text = Encoding.Latin1.GetString(Final(heard.WrittenSpan));
        return new(StatusOf(text), text);
    }

    private static bool IsWhole(ReadOnlySpan<byte> heard, bool isHead)
    {
        var answer = Final(heard);
        var end = answer.IndexOf("\r\n\r\n"u8);
        if (end < 0)
            return false;
        var head = Encoding.Latin1.GetString(answer[..(end + 2)]);
        if (isHead || StatusOf(head) is 204 or 304)
            return true;
        if (Header(head, "Content-Length") is { } length)
            return answer.Length - end - 4 >= long.Parse(length, CultureInfo.InvariantCulture);
        return Header(head, "Transfer-Encoding") is not null && answer.EndsWith("\r\n0\r\n\r\n"u8);
    }

    /// <summary>The answer behind any interim ones (1xx).</summary>
    private static ReadOnlySpan<byte> Final(ReadOnlySpan<byte> heard)
    {
        while (heard.StartsWith("HTTP/1.1 1"u8) && heard.IndexOf("\r\n\r\n"u8) is >= 0 and var end)
            heard = heard[(end + 4)..];
        return heard;
    }

    private static int? StatusOf(string answer) =>
        answer.StartsWith("HTTP/1.", StringComparison.Ordinal) && answer.Length > 12 && int.TryParse(answer.AsSpan(9, 3), NumberStyles.None, CultureInfo.InvariantCulture, out var status) ? status : null;

    private static string? Header(string head, string name)
    {
        var at = head.IndexOf($"\r\n{name}: ", StringComparison.OrdinalIgnoreCase);
        return at < 0 ? null : head[(at + name.Length + 4)..head.IndexOf("\r\n", at + 2, StringComparison.Ordinal)];
    }
}
