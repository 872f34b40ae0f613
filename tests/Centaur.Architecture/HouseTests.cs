using System.Text.RegularExpressions;
using Shouldly;
using Xunit;

namespace Centaur.Architecture;

/// <summary>The rules of the style guide that a machine can keep. An exception is a line here, with its path, its limit and its reason.</summary>
public sealed partial class HouseTests
{
    const int SourceLines = 400;
    const int ProgramLines = 80;
    const int TestLines = 600;
    const int FilesInAFolder = 20;

    [Fact]
    public void No_source_file_is_longer_than_its_limit() =>
        House.Sources("src", "bench").Where(f => f.Lines > (f.Name == "Program.cs" ? ProgramLines : SourceLines))
            .Select(f => $"{f.Path}: {f.Lines} lines").ShouldBeEmpty();

    [Fact]
    public void No_test_file_is_longer_than_its_limit() =>
        House.Sources("tests").Where(f => f.Lines > TestLines).Select(f => $"{f.Path}: {f.Lines} lines").ShouldBeEmpty();

    [Fact]
    public void No_folder_holds_more_files_than_a_reader_can_survey() =>
        House.Sources("src", "tests", "bench").GroupBy(f => f.Folder).Where(g => g.Count() > FilesInAFolder)
            .Select(g => $"{g.Key}: {g.Count()} files").ShouldBeEmpty();

    [Fact]
    public void The_namespace_is_the_folder() =>
        House.Sources("src", "tests", "bench").Where(f => f.Namespace is { } name && name != f.Folder[(f.Folder.IndexOf('/') + 1)..].Replace('/', '.'))
            .Select(f => $"{f.Path}: {f.Namespace}").ShouldBeEmpty();

    [Fact]
    public void No_type_is_named_for_what_it_is_not() =>
        House.Sources("src", "bench")
            .SelectMany(f => VagueName().Matches(f.Text).Select(m => $"{f.Path}: {m.Groups["name"].Value}"))
            .ShouldBeEmpty();

    [Theory]
    [InlineData(@"#region", "a region hides what should be a file", "")]
    [InlineData(@"\bThread\.Sleep\(", "wait for the thing itself", "")]
    [InlineData(@"\.GetAwaiter\(\)\.GetResult\(\)", "await it", "")]
    [InlineData(@"\bnew HttpClient\(\)", "a handler that nobody owns", "")]
    [InlineData(@"Environment\.GetEnvironmentVariable", "settings are converted once, at the edge", "Configuration|Centaur.Cli|Centaur.Runner|Centaur.Proxy|Centaur.DemoModel|bench/")]
    [InlineData(@"\bConsole\.(Write|Error|Out)", "only programs that people or pipes read from print", "Centaur.Cli|Centaur.Runner|Program.cs|Centaur.Proxy|Centaur.DemoModel|bench/")]
    [InlineData(@"\bTask\.Run\(", "work of a slice belongs to its worker", "Centaur.Cli|Centaur.Runner|Centaur.Proxy|bench/")]
    public void Nothing_uses_what_is_banned(string pattern, string reason, string exceptions) =>
        House.Sources("src", "bench")
            .Where(f => exceptions.Length == 0 || !Regex.IsMatch(f.Path, exceptions, RegexOptions.None, TimeSpan.FromSeconds(1)))
            .Where(f => Regex.IsMatch(f.Text, pattern, RegexOptions.None, TimeSpan.FromSeconds(1)))
            .Select(f => $"{f.Path}: {reason}")
            .ShouldBeEmpty();

    [Fact]
    public void Every_slice_has_its_door_with_a_summary_and_a_folder_of_tests()
    {
        var slices = Directory.EnumerateDirectories(Path.Combine(House.Root, "src/Centaur.Server"))
            .Select(d => Path.GetFileName(d)!).Where(n => n is not ("Platform" or "Migrations" or "bin" or "obj"));

        var wrong = slices.SelectMany(Complaints);

        wrong.ShouldBeEmpty();

        static IEnumerable<string> Complaints(string slice)
        {
            var door = Path.Combine(House.Root, "src/Centaur.Server", slice, slice + "Slice.cs");
            if (!File.Exists(door))
                yield return $"{slice} has no {slice}Slice.cs";
            else if (!File.ReadAllText(door).Contains("/// <summary>", StringComparison.Ordinal))
                yield return $"{slice}Slice.cs has no summary";
            var tests = Path.Combine(House.Root, "tests/Centaur.Server.Tests", slice);
            if (!Directory.Exists(tests) || !Directory.EnumerateFiles(tests, "*Tests.cs", SearchOption.AllDirectories).Any())
                yield return $"tests/Centaur.Server.Tests/{slice} holds no tests";
        }
    }

    [Fact]
    public void Every_write_to_the_database_names_its_crash_point() =>
        House.Sources("src/Centaur.Server").SelectMany(f => NamelessWrite().Matches(f.Text).Select(m => $"{f.Path}: {m.Value.ReplaceLineEndings(" ")}")).ShouldBeEmpty();

    [Fact]
    public void No_two_crash_points_have_one_name() =>
        House.Sources("src/Centaur.Server").SelectMany(f => CrashPointName().Matches(f.Text).Select(m => m.Groups["name"].Value))
            .GroupBy(n => n).Where(g => g.Count() > 1).Select(g => g.Key).ShouldBeEmpty();

    [Fact]
    public void No_file_names_the_machine_that_it_was_written_on() =>
        Directory.EnumerateFiles(House.Root, "*", SearchOption.AllDirectories)
            .Select(p => Path.GetRelativePath(House.Root, p))
            .Where(p => !p.StartsWith(".git/", StringComparison.Ordinal) && !p.StartsWith("artifacts/", StringComparison.Ordinal)
                && !p.Contains("node_modules", StringComparison.Ordinal))
            .Where(p => File.ReadAllText(Path.Combine(House.Root, p)).Contains(House.Root + "/", StringComparison.Ordinal))
            .ShouldBeEmpty();

    /// <summary>A statement that changes rows, given to one of the methods that only read.</summary>
    [GeneratedRegex(@"atabase\.(Query|First)(<[^(]*>)?\(\s*\$""+\s*(insert|update|delete|with\b[^;""]*\b(insert into|update|delete from))\b[^\n]*", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5_000)]
    private static partial Regex NamelessWrite();

    [GeneratedRegex(@"CrashPoint \w+ = new\(""(?<name>[^""]+)""\)", RegexOptions.None, matchTimeoutMilliseconds: 5_000)]
    private static partial Regex CrashPointName();

    [GeneratedRegex(@"\b(?:class|record|struct|interface|enum) (?<name>\w*(?:Service|Manager|Helper|Helpers|Util|Utils|Common|Impl)|\w+Base)\b", RegexOptions.None, matchTimeoutMilliseconds: 5_000)]
    private static partial Regex VagueName();
}
