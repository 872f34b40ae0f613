namespace Centaur.Cli.Testing;

/// <summary>Which tests run: <c>unit</c>, <c>nightly</c>, everything that contains one of some names, or everything but the long ones.</summary>
/// <param name="Unit">Only the fast projects.</param>
/// <param name="Nightly">Also the tests marked as long: <c>[Trait("Category", "nightly")]</c> or explicit.</param>
/// <param name="Names">Parts of full names; none for all.</param>
internal sealed record TestSelection(bool Unit, bool Nightly, IReadOnlyList<string> Names)
{
    public static TestSelection Of(IReadOnlyList<string> words) =>
        new(words.Contains("unit"), words.Contains("nightly"), [.. words.Where(word => word is not ("unit" or "nightly"))]);

    public bool Includes(TestProject project) => !Unit || !project.IsSlow;

    /// <summary>As filters of the test program. A name that was asked for runs, however long it takes.</summary>
    public IReadOnlyList<string> Arguments()
    {
        if (Names.Count > 0)
            return [.. Names.SelectMany(name => (string[])["-method", $"*{name}*"]), "-explicit", "on"];
        return Nightly ? ["-explicit", "on"] : ["-trait-", "Category=nightly"];
    }
}
