namespace Centaur.Cli.Testing;

/// <param name="Name">The test's full name.</param>
/// <param name="Message">What it said.</param>
internal sealed record FailedTest(string Name, string Message);

/// <summary>What came of the tests so far.</summary>
internal sealed class TestTally
{
    public int Passed { get; set; }
    public int Skipped { get; set; }
    public List<FailedTest> Failed { get; } = [];

    public int Total => Passed + Skipped + Failed.Count;

    /// <summary>The last line of every run.</summary>
    public string Summary => $"{Passed} passed, {Failed.Count} failed, {Skipped} skipped";
}
