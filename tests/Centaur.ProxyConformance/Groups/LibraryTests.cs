using System.Text.RegularExpressions;
using Centaur.ProxyConformance.Data;
using Shouldly;
using Xunit;

namespace Centaur.ProxyConformance.Groups;

/// <summary>The cases themselves.</summary>
public sealed partial class LibraryTests
{
    [Fact]
    public void No_two_cases_have_one_id() =>
        CaseLibrary.Groups.SelectMany(CaseLibrary.Group).GroupBy(entry => entry.Case.Id).Where(cases => cases.Count() > 1).Select(cases => cases.Key).ShouldBeEmpty();

    [Fact]
    public void Every_group_is_played()
    {
        var tests = typeof(LibraryTests).Assembly.GetTypes().Where(type => type.Namespace == typeof(LibraryTests).Namespace && type.Name.EndsWith("Tests", StringComparison.Ordinal))
            .Select(type => WordStart().Replace(type.Name[..^"Tests".Length], "-").ToLowerInvariant());

        CaseLibrary.Groups.Except(tests).ShouldBeEmpty();
    }

    [Fact]
    public void Every_case_expects_something() =>
        CaseLibrary.Groups.SelectMany(CaseLibrary.Group).Where(entry => entry.Case.All.All(step => step.Expect is null)).Select(entry => entry.Case.Id).ShouldBeEmpty();

    [GeneratedRegex("(?<=[a-z])(?=[A-Z])", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex WordStart();
}
