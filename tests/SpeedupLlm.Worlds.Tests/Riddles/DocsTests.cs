using System.Text.RegularExpressions;
using SpeedupLlm.Testing;
using SpeedupLlm.Worlds.Riddles;

namespace SpeedupLlm.Worlds.Tests.Riddles;

/// <summary>The questions of docs/worlds.md are questions of these worlds, with one answer each.</summary>
public sealed class DocsTests
{
    [Theory]
    [MemberData(nameof(Books.Names), MemberType = typeof(Books))]
    public void Questions_OfTheDocs_AreOnesWithOneAnswer(string name)
    {
        var book = Books.Of(name);
        var section = File.ReadAllText(Path.Combine(Repository.Root, "docs", "worlds.md")).Split("\n### ").Single(s => s.Contains($"(`{name}`)", StringComparison.Ordinal));
        var questions = Regex.Matches(section, @"^\| (?:base, S1|S2|S3|S4) \| (.+) \|$", RegexOptions.Multiline).Select(m => m.Groups[1].Value).ToList();
        Assert.Equal(4, questions.Count);
        Assert.All(questions, text =>
        {
            var q = book.Wordings.Read(text);
            Assert.True(q is not null, text);
            var explains = book.All.Where(rule => q.Pose.Clues.Zip(q.Given).All(c => book.Work(rule, RuleBook.Clue, c.First).Result == c.Second));
            Assert.Single(explains.Select(rule => book.Conclude(q.Kind, [.. q.Pose.Asked.Select(a => book.Work(rule, q.Kind, a))])?.Answer).Where(a => a is not null).Distinct(StringComparer.Ordinal));
        });
    }
}
