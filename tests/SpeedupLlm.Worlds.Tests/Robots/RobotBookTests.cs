using SpeedupLlm.Worlds.Riddles;
using SpeedupLlm.Worlds.Robots;

namespace SpeedupLlm.Worlds.Tests.Robots;

public sealed class RobotBookTests
{
    private static readonly RobotBook Book = new();

    [Theory]
    [InlineData("flip left", "a b c c a", "a c c b a", "c c b a a")]
    [InlineData("right outer", "a b c c a", "a a b c c", "c a b c a")]
    [InlineData("inner front", "a b c a a", "a a c b a", "a a c b a")]
    [InlineData("back lose", "a b c c a", "a b c a c", "b c a c")]
    [InlineData("cut inner", "a b c c a", "a b c c", "a c b c")]
    [InlineData("paint wash", "a b c c a", "b b c c b", "c c c c c")]
    [InlineData("fade shift", "a b c c a", "a b a a a", "b c b b b")]
    public void Work_AnyProgram_DoesOneStepAfterTheOther(string program, string row, string then, string end)
    {
        var steps = program.Split(' ');
        Assert.Equal(new Working($"{row} {steps[0]} {then} {steps[1]} {end}", end), Book.Work(program, RuleBook.Clue, row));
    }

    [Theory]
    [InlineData("left right")]
    [InlineData("flip flip")]
    [InlineData("flip")]
    [InlineData("flip dance")]
    public void IsRule_WhatDoesNothingOrIsNoStep_No(string text) => Assert.False(Book.IsRule(text));

    [Fact]
    public void Conclude_EndsOfARow_AreItsFirstAndLastLetter() =>
        Assert.Equal(("first c last a.", "c a"), Book.Conclude("ends", [new("c b a", "c b a")]));

    [Fact]
    public void Example_OfTheDocs_ReadsLikeThis()
    {
        var riddle = new Riddle(Book, new("Orpi", "North"), "flip left", "out", new(["a b c a a", "c a b c a"], ["a c b b c"]), 0, 0);
        Assert.Equal(Book.HelpExamples[0], riddle.Text);
        Assert.Equal(
            "Try Orpi North do flip left. a b c a a flip a a c b a left a c b a a, clue a c b a a ok. c a b c a flip a c b a c left c b a c a, clue c b a c a ok. "
            + "a c b b c flip c b b c a left b b c a c. Answer b b c a c.",
            RiddleAttempt.True(riddle).Text);
    }
}
