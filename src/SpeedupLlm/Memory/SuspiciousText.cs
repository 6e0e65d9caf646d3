using System.Text.RegularExpressions;

namespace SpeedupLlm.Memory;

/// <summary>Finds text that speaks to the model instead of answering: it may be stored, and is never put into another prompt (case 24).</summary>
/// <remarks>
/// No list of phrases finds everything. It is the second fence: the first is that remembered text enters prompts as data between tags that it cannot
/// forge, in no system role, and only if it was accepted or verified.
/// </remarks>
internal static partial class SuspiciousText
{
    /// <summary>Why the text is suspicious, in a few words, or null.</summary>
    public static string? Find(string? text)
    {
        if (string.IsNullOrEmpty(text))
            return null;
        if (Hidden().IsMatch(text))
            return "hidden characters";
        if (ChatMarks().IsMatch(text))
            return "marks of a chat template";
        return Instructions().IsMatch(text) || InstructionsChinese().IsMatch(text) ? "an instruction to the model" : null;
    }

    /// <summary>Direction overrides and isolates, and the tag characters that nobody sees. A joiner inside an emoji is none of them.</summary>
    [GeneratedRegex("[\u202A-\u202E\u2066-\u2069]|\uDB40[\uDC00-\uDC7F]", RegexOptions.CultureInvariant)]
    private static partial Regex Hidden();

    [GeneratedRegex(@"<\|(im_start|im_end|system|user|assistant|endoftext|eot_id|start_header_id)\|>|\[/?INST\]|<</?SYS>>|<\s*/?\s*(system|assistant)\s*>", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex ChatMarks();

    [GeneratedRegex(
        @"\b(ignore|disregard|forget|override|bypass)\b[^.!?\n]{0,40}\b(previous|prior|above|earlier|preceding|all|any|your|the system)\b[^.!?\n]{0,30}\b(instructions?|prompts?|rules?|directions|guidelines)\b"
        + @"|\b(reveal|print|repeat|show)\b[^.!?\n]{0,20}\b(your|the) (system|hidden|initial) (prompt|instructions?|message)\b"
        + @"|\bfrom now on,? (you|always|never|only)\b|\byou are (now|no longer) (a|an|in)\b",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Instructions();

    [GeneratedRegex(@"(忽略|无视|忘记|忘掉)[^。！？\n]{0,8}(以上|之前|前面|先前|所有|系统)[^。！？\n]{0,8}(指令|指示|提示|规则|要求)|从现在(开始|起)[^。！？\n]{0,4}你", RegexOptions.CultureInvariant)]
    private static partial Regex InstructionsChinese();
}
