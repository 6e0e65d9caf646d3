using System.Collections.Frozen;
using System.Text;

namespace SpeedupLlm.Transformer.Tokenizer;

/// <summary>
/// Text to token ids and back: at each position the longest piece that matches, else a byte token. Any text round-trips
/// (lone surrogates as U+FFFD, as UTF-8 has it).
/// </summary>
/// <remarks>
/// A stretch of text is encoded with a space in front, unless it begins with a line break, so that the first word is the same
/// token as any other; decoding drops that space at the start and after each special token. Thread-safe.
/// </remarks>
public sealed class PieceTokenizer
{
    private readonly byte[][] _bytesOf;
    private readonly ByteTrie _pieces;
    private readonly ByteTrie _specials;
    private readonly FrozenDictionary<string, int> _idOfSpecial;

    /// <summary>A tokenizer of any vocabulary.</summary>
    public PieceTokenizer(PieceVocabulary vocabulary)
    {
        ArgumentNullException.ThrowIfNull(vocabulary);
        Vocabulary = vocabulary;
        FirstByte = vocabulary.Specials.Count;
        _bytesOf = new byte[vocabulary.Count][];
        for (var i = 0; i < vocabulary.Count; i++)
            _bytesOf[i] = i < FirstByte ? Encoding.UTF8.GetBytes(vocabulary.Specials[i])
                : i < FirstPiece ? [(byte)(i - FirstByte)]
                : Encoding.UTF8.GetBytes(vocabulary.Pieces[i - FirstPiece]);
        _specials = new ByteTrie(_bytesOf[..FirstByte], 0);
        _pieces = new ByteTrie(_bytesOf[FirstPiece..], FirstPiece);
        _idOfSpecial = vocabulary.Specials.Select((text, id) => KeyValuePair.Create(text, id)).ToFrozenDictionary(StringComparer.Ordinal);
    }

    /// <summary>What the ids mean.</summary>
    public PieceVocabulary Vocabulary { get; }

    /// <summary>Id of byte 0.</summary>
    public int FirstByte { get; }

    /// <summary>Id of the first piece.</summary>
    public int FirstPiece => FirstByte + 256;

    /// <summary>Number of ids.</summary>
    public int Count => _bytesOf.Length;

    /// <summary>The id of a special token.</summary>
    /// <exception cref="ArgumentException">There is none of this textual form.</exception>
    public int Special(string text) =>
        _idOfSpecial.TryGetValue(text, out var id) ? id : throw new ArgumentException($"The vocabulary has no special token '{text}'.", nameof(text));

    /// <summary>The id of a special token, or false.</summary>
    public bool TryGetSpecial(string text, out int id) => _idOfSpecial.TryGetValue(text, out id);

    /// <summary>Whether the id is a special token.</summary>
    public bool IsSpecial(int id) => (uint)id < (uint)FirstByte;

    /// <summary>The bytes of a token; of a special token those of its textual form.</summary>
    /// <exception cref="ArgumentOutOfRangeException">No such id.</exception>
    public ReadOnlySpan<byte> Bytes(int id) =>
        (uint)id < (uint)_bytesOf.Length ? _bytesOf[id] : throw new ArgumentOutOfRangeException(nameof(id), id, "No such token id.");

    /// <summary>The ids of a text.</summary>
    /// <param name="text">Any text.</param>
    /// <param name="allowSpecial">Whether textual forms of special tokens become these tokens; never for what a user wrote.</param>
    public int[] Encode(ReadOnlySpan<char> text, bool allowSpecial = false)
    {
        var ids = new List<int>(text.Length / 2 + 4);
        Encode(text, ids, allowSpecial);
        return [.. ids];
    }

    /// <summary>Appends the ids of a text.</summary>
    public void Encode(ReadOnlySpan<char> text, List<int> ids, bool allowSpecial = false)
    {
        ArgumentNullException.ThrowIfNull(ids);
        // one byte of room for the space in front
        var bytes = new byte[1 + Encoding.UTF8.GetByteCount(text)];
        bytes[0] = (byte)' ';
        Encoding.UTF8.GetBytes(text, bytes.AsSpan(1));
        var start = 1;
        if (allowSpecial)
        {
            for (var i = 1; i < bytes.Length;)
            {
                var (id, length) = _specials.Longest(bytes.AsSpan(i));
                if (length == 0)
                {
                    i++;
                    continue;
                }
                EncodeStretch(bytes, start, i, ids);
                ids.Add(id);
                i += length;
                start = i;
            }
        }
        EncodeStretch(bytes, start, bytes.Length, ids);
    }

    /// <summary>The text of ids; bytes that are no UTF-8 become U+FFFD.</summary>
    /// <param name="ids">Any ids.</param>
    /// <param name="showSpecial">Whether special tokens appear in their textual form.</param>
    public string Decode(ReadOnlySpan<int> ids, bool showSpecial = true)
    {
        var decoder = new TokenDecoder(this, showSpecial);
        var text = new StringBuilder();
        foreach (var id in ids)
            text.Append(decoder.Push(id));
        return text.Append(decoder.Flush()).ToString();
    }

    /// <summary>Encodes bytes[start..end]; bytes[start - 1] is spent and may be overwritten by the space in front.</summary>
    private void EncodeStretch(byte[] bytes, int start, int end, List<int> ids)
    {
        if (start == end)
            return;
        if (bytes[start] != (byte)'\n')
            bytes[--start] = (byte)' ';
        while (start < end)
        {
            var (id, length) = _pieces.Longest(bytes.AsSpan(start, end - start));
            ids.Add(length > 0 ? id : FirstByte + bytes[start]);
            start += Math.Max(1, length);
        }
    }
}
