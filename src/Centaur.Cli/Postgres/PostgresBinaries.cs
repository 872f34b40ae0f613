using System.Globalization;
using System.Text.RegularExpressions;
using Centaur.Cli.Processes;

namespace Centaur.Cli.Postgres;

/// <summary>The server binaries of one Postgres version on this machine.</summary>
/// <param name="Folder">Holds <c>postgres</c> and <c>initdb</c>.</param>
/// <param name="Major">The major version.</param>
internal sealed partial record PostgresBinaries(string Folder, int Major)
{
    public const int OldestMajor = 15;

    public string Postgres => Path.Combine(Folder, "postgres");
    public string InitDb => Path.Combine(Folder, "initdb");

    /// <summary>The newest binaries that are new enough; or those of <paramref name="major"/>, where a data folder already decided.</summary>
    public static async Task<PostgresBinaries> Find(CliContext context, int? major, CancellationToken cancellationToken)
    {
        var found = await All(context, cancellationToken);
        if (major is not null)
        {
            return found.FirstOrDefault(binaries => binaries.Major == major) ?? throw new CliError(
                ExitCode.Prerequisite,
                $"{context.Layout.PostgresData} was made by Postgres {major}, which is not installed here.",
                found.Count == 0 ? "There are no Postgres server binaries at all." : $"There is Postgres {string.Join(", ", found.Select(each => each.Major))}, which cannot read it.",
                $"Install the server of that version (on Debian: apt-get install postgresql-{major}).");
        }

        return found.FirstOrDefault(binaries => binaries.Major >= OldestMajor) ?? throw new CliError(
            ExitCode.Prerequisite,
            $"No Postgres server binaries of version {OldestMajor} or newer were found.",
            found.Count == 0 ? "Looked in /usr/lib/postgresql, /usr/pgsql-*, /usr/local/pgsql and on the PATH." : $"The newest is Postgres {found[0].Major}.",
            "Install the package postgresql, or point DATABASE_URL at a Postgres that runs elsewhere.");
    }

    /// <summary>Every version on this machine, newest first.</summary>
    public static async Task<IReadOnlyList<PostgresBinaries>> All(CliContext context, CancellationToken cancellationToken)
    {
        var versioned = Folders("/usr/lib/postgresql").Concat(Folders("/usr").Where(folder => Path.GetFileName(folder).StartsWith("pgsql-", StringComparison.Ordinal)))
            .Select(folder => Path.Combine(folder, "bin"));
        var onPath = (context.Variable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries);

        var all = new List<PostgresBinaries>();
        foreach (var folder in versioned.Append("/usr/local/pgsql/bin").Concat(onPath).Distinct())
        {
            if (!File.Exists(Path.Combine(folder, "postgres")) || !File.Exists(Path.Combine(folder, "initdb")))
                continue;
            if (MajorInPath(folder) is { } known)
                all.Add(new PostgresBinaries(folder, known));
            else if (await ProcessRun.Of(new ProcessCommand(Path.Combine(folder, "postgres"), "--version"), cancellationToken) is { Succeeded: true } run && MajorIn(run.Output) is { } told)
                all.Add(new PostgresBinaries(folder, told));
        }

        return [.. all.OrderByDescending(binaries => binaries.Major)];
    }

    /// <summary>Reads <c>postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)</c>.</summary>
    internal static int? MajorIn(string version) => Number(VersionText().Match(version));

    static int? MajorInPath(string folder) => Number(VersionFolder().Match(folder));

    static int? Number(Match match) => match.Success ? int.Parse(match.Groups["major"].Value, CultureInfo.InvariantCulture) : null;

    static IEnumerable<string> Folders(string parent) => Directory.Exists(parent) ? Directory.EnumerateDirectories(parent) : [];

    [GeneratedRegex(@"\(PostgreSQL\) (?<major>\d+)", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex VersionText();

    [GeneratedRegex(@"/(postgresql/|pgsql-)(?<major>\d+)/bin$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex VersionFolder();
}
