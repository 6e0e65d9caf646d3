using Microsoft.AspNetCore.Http;
using SpeedupLlm.Gateway.Errors;

namespace SpeedupLlm.Gateway.Requests;

/// <summary>A request's body as it comes. What is wrong with it is the caller's fault, and is not taken for the upstream's by whoever sends it on.</summary>
internal sealed class CallersBody(HttpRequest request) : Stream
{
    private readonly Stream _body = request.Body;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <inheritdoc/>
    /// <exception cref="ApiErrorException">The body breaks off, or is framed wrongly.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            return await _body.ReadAsync(buffer, cancellationToken);
        }
        catch (BadHttpRequestException bad)
        {
            throw new ApiErrorException(ApiError.Of(bad));
        }
        catch (IOException)
        {
            throw new ApiErrorException(ApiError.Invalid("The request's body cannot be read."));
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
