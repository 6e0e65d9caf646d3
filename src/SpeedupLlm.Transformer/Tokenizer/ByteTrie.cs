namespace SpeedupLlm.Transformer.Tokenizer;

/// <summary>Finds the longest of a set of byte strings that begins at a position.</summary>
internal sealed class ByteTrie
{
    private readonly byte[] _classOf = new byte[256]; // 0: a byte that no string has
    private readonly int _classes;
    private readonly List<int> _next = [];           // node * classes + class → node, 0: none
    private readonly List<int> _valueOf = [];

    /// <summary>The value of string i is <paramref name="firstValue"/> + i.</summary>
    public ByteTrie(IReadOnlyList<byte[]> strings, int firstValue)
    {
        var classes = 1;
        foreach (var s in strings)
            foreach (var b in s)
                if (_classOf[b] == 0 && classes < 256)
                    _classOf[b] = (byte)classes++;
        _classes = classes;
        AddNode();
        for (var i = 0; i < strings.Count; i++)
        {
            var node = 0;
            foreach (var b in strings[i])
            {
                var at = node * _classes + _classOf[b];
                if (_next[at] == 0)
                    _next[at] = AddNode();
                node = _next[at];
            }
            _valueOf[node] = firstValue + i;
        }
    }

    /// <summary>Value and length of the longest string that <paramref name="text"/> begins with; length 0 if none.</summary>
    public (int Value, int Length) Longest(ReadOnlySpan<byte> text)
    {
        var (node, best, length) = (0, -1, 0);
        for (var i = 0; i < text.Length; i++)
        {
            var c = _classOf[text[i]];
            if (c == 0 || (node = _next[node * _classes + c]) == 0)
                break;
            if (_valueOf[node] >= 0)
                (best, length) = (_valueOf[node], i + 1);
        }
        return (best, length);
    }

    private int AddNode()
    {
        _valueOf.Add(-1);
        for (var i = 0; i < _classes; i++)
            _next.Add(0);
        return _valueOf.Count - 1;
    }
}
