using System.Buffers.Binary;
using System.Globalization;
using System.IO.MemoryMappedFiles;
using SpeedupLlm.Relevancy;

namespace SpeedupLlm.Sqlite;

/// <summary>Whose vectors a sidecar holds.</summary>
/// <param name="Store">The store's id.</param>
/// <param name="Partition">The partition's number.</param>
/// <param name="Dimensions">The length of the vectors.</param>
internal sealed record SidecarName(Guid Store, long Partition, int Dimensions);

/// <summary>
/// The blocks of a partition in a file beside the store, mapped into memory. It is a cache: it is only ever appended to, checked when opened,
/// and made again from the records when it is missing, damaged or another store's.
/// </summary>
/// <remarks>
/// Layout, little-endian. Header of 4096 bytes: magic (8), store (16), partition (8), dimensions (4), rows of a block (4), the change up to which
/// the states were true when the file was begun (8), checksum of all this (8). Then blocks: number (8), checksum of number and scanned planes (8),
/// 48 bytes of zeros, image. The fine plane has a checksum a row. A new file has a new generation in its name, so that others may go on with the old one.
/// </remarks>
internal sealed class SidecarFile
{
    private const ulong Magic = 0x3256_4D4C_4C70_5301; // "\x01SpLLMV2"
    private const int HeaderBytes = 4096;
    private const int HeaderUsed = 48;
    private const int BlockHeaderBytes = 64;
    private const string Extension = ".vectors";

    private readonly string _folder;
    private readonly SidecarName _name;

    /// <summary>A partition's sidecar in a folder, which need not exist.</summary>
    public SidecarFile(string folder, SidecarName name)
    {
        _folder = folder;
        _name = name;
    }

    /// <summary>Counts up with every file that was begun.</summary>
    public int Generation { get; private set; }

    /// <summary>Changes up to this one are in the states of all blocks.</summary>
    public long BaseChange { get; private set; }

    private int BlockBytes => BlockHeaderBytes + VectorBlock.ImageBytes(_name.Dimensions);

    private string Path => PathOf(Generation);

    /// <summary>Maps what is sound of the newest file: every whole block up to the first that is damaged. Nothing, if there is no file of this store.</summary>
    /// <param name="sound">False if the file should be made again.</param>
    public List<VectorBlock> Open(out bool sound)
    {
        Generation = Newest();
        BaseChange = 0;
        sound = true;
        if (Generation == 0)
            return [];
        try
        {
            using var stream = OpenFile(FileAccess.Read);
            if (!ReadHeader(stream))
            {
                sound = false;
                return [];
            }
            var blocks = Map(stream, 0);
            // a cut last block is a writer's that was killed: the next one writes over it
            sound = blocks.Count == (stream.Length - HeaderBytes) / BlockBytes;
            return blocks;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>Appends blocks behind the <paramref name="known"/> ones that the caller mapped; null if the file is not what the caller knows (another process was faster).</summary>
    /// <returns>The appended blocks, mapped.</returns>
    public List<VectorBlock>? Append(IReadOnlyList<VectorBlock> blocks, int known)
    {
        using var held = Lock();
        if (held is null || Newest() != Generation)
            return null;
        using var stream = OpenFile(FileAccess.ReadWrite);
        var end = HeaderBytes + (long)known * BlockBytes;
        if (!ReadHeader(stream) || stream.Length < end || (stream.Length - HeaderBytes) / BlockBytes != known)
            return null;
        stream.Position = end;
        Write(stream, blocks, known);
        return Map(stream, known, blocks);
    }

    /// <summary>Whether the newest file is the one that was opened, with so many blocks.</summary>
    public bool IsAt(int known)
    {
        try
        {
            return Newest() == Generation && (new FileInfo(Path).Length - HeaderBytes) / BlockBytes == known;
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>Begins a new file with these blocks, whose states are true up to <paramref name="change"/>.</summary>
    /// <returns>The blocks, mapped; null if another process is at it.</returns>
    public List<VectorBlock>? Begin(IReadOnlyList<VectorBlock> blocks, long change)
    {
        Directory.CreateDirectory(_folder);
        using var held = Lock();
        if (held is null)
            return null;
        var old = Generation;
        var next = Math.Max(Newest(), old) + 1;
        var temporary = PathOf(next) + ".new";
        using (var stream = new FileStream(temporary, FileMode.Create, FileAccess.ReadWrite, FileShare.Read))
        {
            var header = new byte[HeaderBytes];
            BinaryPrimitives.WriteUInt64LittleEndian(header, Magic);
            _name.Store.TryWriteBytes(header.AsSpan(8));
            BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(24), _name.Partition);
            BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(32), _name.Dimensions);
            BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(36), VectorBlock.Rows);
            BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(40), change);
            BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(HeaderUsed), Checksum.Of(header.AsSpan(0, HeaderUsed)));
            stream.Write(header);
            Write(stream, blocks, 0);
        }
        File.Move(temporary, PathOf(next), overwrite: true);
        (Generation, BaseChange) = (next, change);
        foreach (var (generation, path) in Files())
        {
            if (generation < next)
                TryDelete(path);
        }
        using var written = OpenFile(FileAccess.Read);
        return Map(written, 0, blocks);
    }

    /// <summary>One writer at a time, over all processes; null if there is one.</summary>
    private FileStream? Lock()
    {
        try
        {
            return new FileStream(System.IO.Path.Combine(_folder, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            return null;
        }
    }

    private bool ReadHeader(FileStream stream)
    {
        var header = new byte[HeaderUsed + 8];
        if (stream.ReadAtLeast(header, header.Length, throwOnEndOfStream: false) < header.Length
            || BinaryPrimitives.ReadUInt64LittleEndian(header) != Magic
            || BinaryPrimitives.ReadUInt64LittleEndian(header.AsSpan(HeaderUsed)) != Checksum.Of(header.AsSpan(0, HeaderUsed))
            || new Guid(header.AsSpan(8, 16)) != _name.Store
            || BinaryPrimitives.ReadInt64LittleEndian(header.AsSpan(24)) != _name.Partition
            || BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(32)) != _name.Dimensions
            || BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(36)) != VectorBlock.Rows
            || stream.Length < HeaderBytes)
            return false;
        BaseChange = BinaryPrimitives.ReadInt64LittleEndian(header.AsSpan(40));
        return true;
    }

    private void Write(FileStream stream, IReadOnlyList<VectorBlock> blocks, int first)
    {
        foreach (var (i, block) in blocks.Index())
        {
            var header = new byte[BlockHeaderBytes];
            BinaryPrimitives.WriteInt64LittleEndian(header, first + i);
            BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(8), CheckOf(first + i, block));
            stream.Write(header);
            stream.Write(block.Image);
        }
        stream.Flush();
    }

    private static ulong CheckOf(int number, VectorBlock block) => Checksum.Of(block.ScannedImage) ^ ((ulong)number * 0x9E37_79B9_7F4A_7C15);

    /// <summary>Maps the whole blocks from a number on, up to the first that is damaged.</summary>
    /// <param name="stream">The file.</param>
    /// <param name="first">The first block.</param>
    /// <param name="same">The blocks that were just written, whose states go on; null: states as in the file.</param>
    private List<VectorBlock> Map(FileStream stream, int first, IReadOnlyList<VectorBlock>? same = null)
    {
        var count = (int)((stream.Length - HeaderBytes) / BlockBytes) - first;
        var blocks = new List<VectorBlock>(Math.Max(0, count));
        if (count <= 0)
            return blocks;
        using var file = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        // a view of at most about a gigabyte, as lengths are 32 bits
        var together = Math.Max(1, (1 << 30) / BlockBytes);
        for (var i = 0; i < count; i += together)
        {
            var number = Math.Min(together, count - i);
            var view = new MappedMemory(file, HeaderBytes + (long)(first + i) * BlockBytes, number * BlockBytes);
            for (var b = 0; b < number; b++)
            {
                var bytes = view.Memory.Slice(b * BlockBytes, BlockBytes);
                var block = new VectorBlock(bytes[BlockHeaderBytes..], _name.Dimensions, same?[i + b].States);
                var header = bytes.Span;
                var n = first + i + b;
                if (BinaryPrimitives.ReadInt64LittleEndian(header) != n || BinaryPrimitives.ReadUInt64LittleEndian(header[8..]) != CheckOf(n, block))
                    return blocks;
                blocks.Add(block);
            }
        }
        return blocks;
    }

    private FileStream OpenFile(FileAccess access) => new(Path, FileMode.Open, access, FileShare.ReadWrite | FileShare.Delete);

    private string PathOf(int generation) =>
        System.IO.Path.Combine(_folder, string.Create(CultureInfo.InvariantCulture, $"{_name.Partition}-{generation}{Extension}"));

    private int Newest() => Files().Select(f => f.Generation).DefaultIfEmpty(0).Max();

    private IEnumerable<(int Generation, string Path)> Files()
    {
        if (!Directory.Exists(_folder))
            yield break;
        var prefix = _name.Partition.ToString(CultureInfo.InvariantCulture) + "-";
        foreach (var path in Directory.EnumerateFiles(_folder, prefix + "*" + Extension))
        {
            if (int.TryParse(System.IO.Path.GetFileNameWithoutExtension(path)[prefix.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out var generation))
                yield return (generation, path);
        }
    }

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // somebody reads it still; the next generation tries again
        }
    }
}
