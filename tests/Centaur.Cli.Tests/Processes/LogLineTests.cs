using Centaur.Cli.Processes;
using Shouldly;
using Xunit;

namespace Centaur.Cli.Tests.Processes;

public sealed class LogLineTests
{
    [Theory]
    [InlineData("""{"Timestamp":"t","LogLevel":"Error","Message":"Hosting failed to start","Exception":"System.IO.IOException: …\n   at Main()"}""", "Error: Hosting failed to start")]
    [InlineData("Stop the program that holds it.", "Stop the program that holds it.")]
    [InlineData("{ half a line", "{ half a line")]
    [InlineData("""{"other":1}""", """{"other":1}""")]
    public void A_person_reads_the_message_and_no_stack_trace(string line, string read) => LogLine.ForPeople(line).ShouldBe(read);
}
