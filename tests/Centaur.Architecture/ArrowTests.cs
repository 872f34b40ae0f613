using Shouldly;
using Xunit;

namespace Centaur.Architecture;

/// <summary>Dependencies run one way. Each arrow between slices is a row here, with its reason; what has no row is forbidden.</summary>
public sealed class ArrowTests
{
    static readonly (string From, string To, string Reason)[] Allowed =
    [
        ("Secrets", "Access", "the signing key makes broker tickets, and operator routes ask for scopes"),
        ("Attachments", "Access", "a file belongs to a thread that the caller may see"),
        ("Events", "Access", "the stream asks for a scope"),
        ("Sandboxes", "Access", "a sandbox gets its token"),
        ("Sandboxes", "Events", "a lifecycle step is told to the thread"),
        ("Sandboxes", "Secrets", "a sandbox gets its policy and its grants"),
        ("Egress", "Access", "routes ask for scopes"),
        ("Egress", "Sandboxes", "records lie in the audit files of the host's sandboxes, and stay until they are stored"),
        ("Harnesses", "Events", "translators make events"),
        ("Threads", "Access", "routes ask for scopes"),
        ("Threads", "Events", "a message is an event of the thread"),
        ("Threads", "Attachments", "inline files leave the message for the table of files"),
        ("Threads", "Harnesses", "an assignment names a harness that exists"),
        ("Threads", "Sandboxes", "a spawn reserves the thread's sandbox"),
        ("Executions", "Access", "routes ask for scopes"),
        ("Executions", "Threads", "an execution runs on an assignment"),
        ("Executions", "Sandboxes", "a turn runs in a sandbox"),
        ("Executions", "Harnesses", "frames become canonical events"),
        ("Executions", "Events", "a turn is a row of events"),
        ("Executions", "Attachments", "a turn's input names files"),
        ("Deliveries", "Access", "routes ask for scopes"),
        ("Deliveries", "Events", "a delivery is told in the thread's log"),
        ("Executions", "Deliveries", "the outbox is written in the transactions of the execution that it is about"),
        ("Slack", "Deliveries", "Slack is one deliverer, and refusals are notices"),
        ("Slack", "Executions", "a mention queues a turn"),
        ("Slack", "Threads", "a mention spawns its thread and is a message of it"),
        ("Executions", "Secrets", "a turn waits for the policy that it needs"),
    ];

    [Fact]
    public void Slices_of_the_server_depend_only_along_the_drawn_arrows()
    {
        using var server = House.Assembly("centaur-server");

        var forbidden = House.Arrows(server, "Centaur.Server")
            .Where(a => a.To != "Platform" && a.From != "Program")
            .Where(a => !Allowed.Any(row => row.From == a.From && row.To == a.To))
            .Select(a => $"{a.From} → {a.To}: {a.Example}");

        forbidden.ShouldBeEmpty();
    }

    [Fact]
    public void Every_drawn_arrow_runs_one_way()
    {
        var both = Allowed.Where(a => Allowed.Any(b => b.From == a.To && b.To == a.From)).Select(a => $"{a.From} ↔ {a.To}");

        both.ShouldBeEmpty();
    }

    [Fact]
    public void Platform_knows_no_slice()
    {
        using var server = House.Assembly("centaur-server");

        House.Arrows(server, "Centaur.Server").Where(a => a.From == "Platform").Select(a => a.Example).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("centaur-server")]
    [InlineData("centaur-proxy")]
    [InlineData("centaur-runner")]
    [InlineData("centaur-cli")]
    public void A_program_knows_the_protocol_and_no_other_program(string program)
    {
        using var assembly = House.Assembly(program);

        assembly.MainModule.AssemblyReferences.Select(r => r.Name)
            .Where(n => n.StartsWith("centaur", StringComparison.OrdinalIgnoreCase))
            .ShouldBeSubsetOf(["Centaur.Protocol"]);
    }

    [Fact]
    public void The_protocol_knows_nothing()
    {
        using var assembly = House.Assembly("Centaur.Protocol");

        assembly.MainModule.AssemblyReferences.Select(r => r.Name)
            .Where(n => !n.StartsWith("System", StringComparison.Ordinal) && n is not "Microsoft.Win32.Primitives")
            .ShouldBeEmpty();
    }

    [Fact]
    public void Only_the_server_opens_Postgres() =>
        House.Sources("src").Where(f => f.Project is not "Centaur.Server" && f.Text.Contains("using Npgsql", StringComparison.Ordinal))
            .Select(f => f.Path).ShouldBeEmpty();

    [Theory]
    [InlineData("Centaur.Proxy", "YamlDotNet")]
    [InlineData("Centaur.Runner")]
    public void The_packages_of_what_stands_in_the_line_of_fire_are_frozen(string project, params string[] packages)
    {
        var text = File.ReadAllText(Path.Combine(House.Root, "src", project, project + ".csproj"));
        var found = System.Xml.Linq.XDocument.Parse(text).Descendants("PackageReference").Select(p => p.Attribute("Include")!.Value);

        found.ShouldBe(packages);
    }
}
