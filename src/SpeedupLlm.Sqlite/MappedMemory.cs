using System.Buffers;
using System.IO.MemoryMappedFiles;

namespace SpeedupLlm.Sqlite;

/// <summary>A part of a file as memory, read only. It is unmapped when nothing refers to it any more: a scan may be under way when a store closes.</summary>
internal sealed unsafe class MappedMemory : MemoryManager<byte>
{
    // unmaps when it is collected, and is collected after the last reference to this memory
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _start;
    private readonly int _length;

    /// <summary>Maps a range that lies within the file.</summary>
    public MappedMemory(MemoryMappedFile file, long offset, int length)
    {
        _view = file.CreateViewAccessor(offset, length, MemoryMappedFileAccess.Read);
        _start = (byte*)_view.SafeMemoryMappedViewHandle.DangerousGetHandle() + _view.PointerOffset;
        _length = length;
    }

    public override Span<byte> GetSpan() => new(_start, _length);

    public override MemoryHandle Pin(int elementIndex = 0) => new(_start + elementIndex, default, this);

    public override void Unpin()
    {
        // memory of a file does not move
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _view.Dispose();
    }
}
