using System.Buffers;
using Microsoft.AspNetCore.Http;
using SpeedupLlm.Gateway.Errors;

namespace SpeedupLlm.Gateway.Requests;

/// <summary>A request's body in a pooled buffer. Dispose it when the answer has ended.</summary>
internal sealed class RequestBody : IDisposable
{
    private const int FirstBuffer = 16 * 1024;
    private byte[] _buffer;
    private int _length;

    private RequestBody(int size) => _buffer = ArrayPool<byte>.Shared.Rent(size);

    /// <summary>The bytes, valid until disposed.</summary>
    public ReadOnlyMemory<byte> Bytes => _buffer.AsMemory(0, _length);

    /// <summary>Reads the whole body.</summary>
    /// <exception cref="ApiErrorException">It is longer than <paramref name="limit"/>, breaks off, or is framed wrongly.</exception>
    public static async ValueTask<RequestBody> ReadAsync(HttpRequest request, int limit, CancellationToken cancellationToken)
    {
        if (request.ContentLength > limit)
            throw TooLong(limit);
        // a length that is only claimed buys no buffer of that size
        using var stream = new CallersBody(request);
        var body = new RequestBody((int)Math.Min(request.ContentLength + 1 ?? FirstBuffer, FirstBuffer));
        try
        {
            while (true)
            {
                if (body._length == body._buffer.Length)
                    body.Grow(limit);
                var read = await stream.ReadAsync(body._buffer.AsMemory(body._length), cancellationToken);
                if (read == 0)
                    return body;
                body._length += read;
                if (body._length > limit)
                    throw TooLong(limit);
            }
        }
        catch
        {
            body.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        var buffer = Interlocked.Exchange(ref _buffer, []);
        _length = 0;
        if (buffer.Length > 0)
            ArrayPool<byte>.Shared.Return(buffer);
    }

    private void Grow(int limit)
    {
        var larger = ArrayPool<byte>.Shared.Rent((int)Math.Min((long)_buffer.Length * 2, (long)limit + 1));
        _buffer.AsSpan(0, _length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }

    private static ApiErrorException TooLong(int limit) => new(new(
        StatusCodes.Status413PayloadTooLarge, FormattableString.Invariant($"The request is longer than {limit} bytes."), "invalid_request_error", "request_too_large"));
}
