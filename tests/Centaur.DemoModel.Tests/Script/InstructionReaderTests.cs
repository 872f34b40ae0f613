using Centaur.DemoModel.Script;
using Shouldly;
using Xunit;

namespace Centaur.DemoModel.Tests.Script;

public sealed class InstructionReaderTests
{
    [Theory]
    [InlineData("Reply with exactly PONG.", "PONG")]
    [InlineData("reply with exactly PONG", "PONG")]
    [InlineData("Please reply with exactly: two words", "two words")]
    [InlineData("Reply with exactly \"PONG.\"", "PONG.")]
    [InlineData("<@U12345>: Reply with exactly PONG.", "PONG")]
    [InlineData("Reply with exactly wait...", "wait...")]
    [InlineData("Reply with exactly Run: ls", "Run: ls")]
    public void A_reply_is_the_rest_of_its_line(string text, string reply) => InstructionReader.Read(text).ShouldBe([new ReplyExactly(reply)]);

    [Theory]
    [InlineData("Run: git log --oneline -3", "git log --oneline -3")]
    [InlineData("Hello. run: echo 'Count to 3' | cat", "echo 'Count to 3' | cat")]
    [InlineData("Run: echo a.", "echo a.")]
    public void A_command_is_the_rest_of_its_line(string text, string command) => InstructionReader.Read(text).ShouldBe([new RunCommand(command)]);

    [Theory]
    [InlineData("Count to 20, one every 0.5 seconds", 20, 500)]
    [InlineData("count to 3 one every 2s.", 3, 2000)]
    [InlineData("Count to 5", 5, 0)]
    public void Counting_has_a_pace(string text, int to, int milliseconds) =>
        InstructionReader.Read(text).ShouldBe([new CountUp(to, TimeSpan.FromMilliseconds(milliseconds))]);

    [Fact]
    public void Instructions_keep_their_order() => InstructionReader.Read("Count to 2, then more\nRun: ls\nReply with exactly DONE.")
        .ShouldBe([new CountUp(2, TimeSpan.Zero), new RunCommand("ls"), new ReplyExactly("DONE")]);

    [Theory]
    [InlineData("What is the weather?")]
    [InlineData("dry-run: nothing")]
    [InlineData("")]
    public void Other_words_are_no_instruction(string text) => InstructionReader.Read(text).ShouldBeEmpty();
}
