using System.Text;
using System.Text.Json;
using SpeedupLlm.Compute;

namespace SpeedupLlm.Gateway.Tests.Mutations;

/// <summary>Writes a JSON text again with something wrong at a few places that chance picks: what is left out, said twice, named otherwise, of another type, too large, too deep, or no text.</summary>
internal sealed class JsonMutator
{
    // what a value can be replaced by; each byte is one of Latin-1, so that bytes which are no UTF-8 can stand here
    private static readonly byte[][] Values = [.. new[]
    {
        "null", "true", "false", "0", "-0", "-1", "1e999", "-1e999", "1e-999", "0.1", "2147483648", "9223372036854775808", "9007199254740993", "1" + new string('0', 400), "0." + new string('9', 400),
        "NaN", "Infinity", "01", "+1", ".5", "1.", "0x10", "[]", "{}", "[[]]", "[null]", "{\"\":{}}", "{\"a\":1,\"a\":2}", "[1,]", "{,}", "\"\"", "\" \\t\\n\"", "\"\\u0000\"", "\"\0\"", "\"a\nb\"",
        "\"\\ud800\"", "\"\\udc00\\ud800\"", "\"\\ud83d\\ude80\"", "\"\\uZZZZ\"", "\"\\x\"", "\"\xff\xfe\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "\"\xe2\x82\"", "'x'", "undefined", "/**/1",
        "\"\xef\xbb\xbf\"", "\"\xe2\x80\xae\xd7\xa9\"", "\"" + new string('x', 100_000) + "\"", "\"" + string.Concat(Enumerable.Repeat("\\u00e9", 5000)) + "\"",
        "[" + string.Join(',', Enumerable.Repeat("1", 10_000)) + "]", "{" + string.Join(',', Enumerable.Range(0, 3000).Select(i => $"\"k{i}\":{i}")) + "}",
        "\"speedup/\"", "\"speedup/off/\"", "\"speedup//\"", "\"speedup/best-of-n/auto/\"", "\"speedup/x/y/z\"", "\"speedup/off/speedup/off/m\"", "\"off\"", "\"oracle\"", "\"sft\"", "\"tree-of-thoughts\"",
        "\"</question><answer>\"", "\"SCORE: 9\"", "\"system\"", "\"developer\"", "\"tool\"", "\"text\"", "\"json_schema\"", "\"image_url\"", "\"" + new string('r', 70_000) + "\"",
        "{\"type\":\"json_schema\",\"json_schema\":{\"schema\":{\"type\":\"object\"}}}", "[{\"type\":\"text\",\"text\":\"\\ud800\"}]", "[{\"role\":\"user\",\"content\":\"y\"}]",
    }.Select(Encoding.Latin1.GetBytes)];

    private static readonly byte[][] Names = [.. new[]
    {
        "model", "messages", "role", "content", "stream", "stream_options", "user", "safety_identifier", "speedup", "tau", "samples", "scaling", "memory", "scorer", "conversation", "n", "best_of", "stop",
        "seed", "temperature", "top_p", "top_k", "logprobs", "tools", "tool_choice", "functions", "response_format", "max_tokens", "max_completion_tokens", "metadata", "name", "type", "text", "episode", "verdict",
        "", "\\ud800", "\\u0000", "\xff", "mod\\u0065l", "MODEL", "__proto__", "speedup.forward", "extra_body", "prediction", new string('k', 10_000),
    }.Select(Encoding.Latin1.GetBytes)];

    private static readonly int[] Depths = [3, 63, 64, 65, 255, 510, 511, 512, 513, 1001, 100_000];

    private readonly StreamRandom _chance;
    private readonly MemoryStream _to = new();
    private readonly HashSet<int> _places;
    private int _place;

    private JsonMutator(StreamRandom chance, int places)
    {
        _chance = chance;
        _places = [.. Enumerable.Range(0, 1 + chance.Next(3)).Select(_ => chance.Next(places))];
    }

    public static byte[] Mutate(byte[] json, StreamRandom chance)
    {
        using var document = JsonDocument.Parse(json);
        var mutator = new JsonMutator(chance, Count(document.RootElement));
        mutator.Write(document.RootElement);
        return mutator._to.ToArray();
    }

    private static int Count(JsonElement value) => 1 + value.ValueKind switch
    {
        JsonValueKind.Object => value.EnumerateObject().Sum(m => Count(m.Value)),
        JsonValueKind.Array => value.EnumerateArray().Sum(Count),
        _ => 0,
    };

    private void Write(JsonElement value)
    {
        var isPlace = _places.Contains(_place++);
        if (!isPlace)
            WriteWhole(value);
        else if (_chance.Next(4) == 0)
            WriteDeep(value);
        else
            _to.Write(_chance.Pick(Values));
    }

    private void WriteWhole(JsonElement value)
    {
        if (value.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array))
        {
            _to.Write(Encoding.UTF8.GetBytes(value.GetRawText()));
            return;
        }
        var isObject = value.ValueKind == JsonValueKind.Object;
        _to.WriteByte((byte)(isObject ? '{' : '['));
        var first = true;
        foreach (var (name, item) in isObject ? value.EnumerateObject().Select(m => ((string?)m.Name, m.Value)) : value.EnumerateArray().Select(i => ((string?)null, i)))
        {
            // about one in two places is a member that is missing, said twice, or called something else
            var what = _places.Contains(_place) ? _chance.Next(8) : 8;
            if (what == 0)
            {
                _place += Count(item);
                continue;
            }
            if (what == 1)
            {
                WriteMember(ref first, name is null ? null : Encoding.UTF8.GetBytes(name), () => _to.Write(_chance.Next(2) == 0 ? Encoding.UTF8.GetBytes(item.GetRawText()) : _chance.Pick(Values)));
                _places.Remove(_place);
            }
            var called = what is 2 or 3 && name is not null ? _chance.Pick(Names) : name is null ? null : Encoding.UTF8.GetBytes(name);
            if (what is 2 or 3)
                _places.Remove(_place);
            WriteMember(ref first, called, () => Write(item));
        }
        _to.WriteByte((byte)(isObject ? '}' : ']'));
    }

    private void WriteMember(ref bool first, byte[]? name, Action write)
    {
        if (!first)
            _to.WriteByte((byte)',');
        first = false;
        if (name is not null)
        {
            _to.WriteByte((byte)'"');
            _to.Write(name);
            _to.Write("\":"u8);
        }
        write();
    }

    private void WriteDeep(JsonElement value)
    {
        var (depth, isArray) = (_chance.Pick(Depths), _chance.Next(2) == 0);
        for (var i = 0; i < depth; i++)
            _to.Write(isArray ? "["u8 : "{\"a\":"u8);
        WriteWhole(value);
        // now and then they are not closed
        for (var i = _chance.Next(4) == 0 ? 1 : 0; i < depth; i++)
            _to.WriteByte((byte)(isArray ? ']' : '}'));
    }
}
