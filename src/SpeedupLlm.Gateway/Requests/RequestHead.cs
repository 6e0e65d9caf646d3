using System.Text;
using System.Text.Json;
using SpeedupLlm.Gateway.Errors;

namespace SpeedupLlm.Gateway.Requests;

/// <summary>What routing needs of a JSON body, found in one pass without building anything: where the model's name stands, and our own object.</summary>
internal readonly record struct RequestHead
{
    /// <summary>Deep enough for any tool's schema, and no danger to the stack.</summary>
    public const int Depth = 512;

    /// <summary>The model's name, or null.</summary>
    public string? Model { get; private init; }

    /// <summary>Whether a stream is asked for.</summary>
    public bool Stream { get; private init; }

    /// <summary>OpenAI's <c>safety_identifier</c>, else its <c>user</c>, else null.</summary>
    public string? User { get; private init; }

    /// <summary>Where the model's value stands, with its quotes.</summary>
    private Range ModelValue { get; init; }

    /// <summary>Where our object's value stands; empty if there is none.</summary>
    private Range SpeedupValue { get; init; }

    /// <summary>Where our member stands with its name and one comma; empty if there is none.</summary>
    private Range SpeedupMember { get; init; }

    private bool HasSpeedup => !SpeedupMember.Equals(default);

    /// <summary>Reads a body.</summary>
    /// <exception cref="ApiErrorException">It is no JSON object, or says the same thing twice.</exception>
    public static RequestHead Read(ReadOnlySpan<byte> body)
    {
        try
        {
            return ReadObject(body);
        }
        catch (JsonException e)
        {
            throw new ApiErrorException(ApiError.Invalid($"The request is not valid JSON: {e.Message.Split(". Path:")[0]}", code: "invalid_json"));
        }
        catch (InvalidOperationException)
        {
            throw new ApiErrorException(ApiError.HalfACharacter());
        }
    }

    /// <summary>Our object, or null if the body has none.</summary>
    public ReadOnlyMemory<byte>? Speedup(ReadOnlyMemory<byte> body) => HasSpeedup ? body[SpeedupValue] : default(ReadOnlyMemory<byte>?);

    /// <summary>The body for the upstream: another model's name where <paramref name="model"/> says so, and our object taken out. Everything else stays byte for byte.</summary>
    public ReadOnlyMemory<byte> Forwarded(ReadOnlyMemory<byte> body, string model)
    {
        if (!HasSpeedup && string.Equals(model, Model, StringComparison.Ordinal))
            return body;
        var edits = new List<(int Start, int End, byte[] With)>();
        if (!string.Equals(model, Model, StringComparison.Ordinal))
            edits.Add((ModelValue.Start.Value, ModelValue.End.Value, [(byte)'"', .. JsonEncodedText.Encode(model).EncodedUtf8Bytes, (byte)'"']));
        if (HasSpeedup)
            edits.Add((SpeedupMember.Start.Value, SpeedupMember.End.Value, []));
        var forwarded = new MemoryStream(body.Length + 64);
        var at = 0;
        foreach (var (start, end, with) in edits.OrderBy(e => e.Start))
        {
            forwarded.Write(body.Span[at..start]);
            forwarded.Write(with);
            at = end;
        }
        forwarded.Write(body.Span[at..]);
        return forwarded.GetBuffer().AsMemory(0, (int)forwarded.Length);
    }

    private static RequestHead ReadObject(ReadOnlySpan<byte> body)
    {
        var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = Depth });
        var head = new RequestHead();
        string? user = null, safety = null;
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            throw new ApiErrorException(ApiError.Invalid("The request is not a JSON object.", code: "invalid_json"));
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = (int)reader.TokenStartIndex;
            if (reader.ValueTextEquals("model"u8))
                head = ReadModel(ref reader, head);
            else if (reader.ValueTextEquals("stream"u8))
                head = head with { Stream = ReadValue(ref reader) == JsonTokenType.True };
            else if (reader.ValueTextEquals("user"u8))
                user = ReadText(ref reader);
            else if (reader.ValueTextEquals("safety_identifier"u8))
                safety = ReadText(ref reader);
            else if (reader.ValueTextEquals("speedup"u8))
                head = ReadSpeedup(ref reader, head, name, body);
            else
                ReadValue(ref reader);
        }
        // nothing may follow the object
        reader.Read();
        return head with { User = safety ?? user };
    }

    private static RequestHead ReadModel(ref Utf8JsonReader reader, RequestHead head)
    {
        if (head.Model is not null)
            throw Twice("model");
        reader.Read();
        if (reader.TokenType != JsonTokenType.String)
            throw new ApiErrorException(ApiError.Invalid("The model's name is not a string.", "model"));
        var start = (int)reader.TokenStartIndex;
        return head with { Model = reader.GetString(), ModelValue = new(start, (int)reader.BytesConsumed) };
    }

    private static RequestHead ReadSpeedup(ref Utf8JsonReader reader, RequestHead head, int name, ReadOnlySpan<byte> body)
    {
        if (head.HasSpeedup)
            throw Twice("speedup");
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
            throw new ApiErrorException(ApiError.Invalid("“speedup” is not an object.", "speedup"));
        var start = (int)reader.TokenStartIndex;
        reader.Skip();
        var end = (int)reader.BytesConsumed;
        return head with { SpeedupValue = new(start, end), SpeedupMember = Member(body, name, end) };
    }

    /// <summary>A member with the comma after it, or the one before it if it is the last.</summary>
    private static Range Member(ReadOnlySpan<byte> body, int start, int end)
    {
        var rest = body[end..];
        var blank = rest.IndexOfAnyExcept(" \t\r\n"u8);
        if (blank >= 0 && rest[blank] == (byte)',')
            return start..(end + blank + 1);
        var before = body[..start].LastIndexOfAnyExcept(" \t\r\n"u8);
        return (before >= 0 && body[before] == (byte)',' ? before : start)..end;
    }

    private static string? ReadText(ref Utf8JsonReader reader) => ReadValue(ref reader) == JsonTokenType.String ? reader.GetString() : null;

    private static JsonTokenType ReadValue(ref Utf8JsonReader reader)
    {
        reader.Read();
        var type = reader.TokenType;
        reader.Skip();
        return type;
    }

    private static ApiErrorException Twice(string name) => new(ApiError.Invalid($"“{name}” stands twice in the request.", name));
}
