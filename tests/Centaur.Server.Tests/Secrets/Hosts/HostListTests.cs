using System.Text.RegularExpressions;
using Centaur.Protocol.Policy;
using Centaur.Server.Platform.Configuration;
using Centaur.Server.Secrets;
using Centaur.Server.Secrets.Hosts;

namespace Centaur.Server.Tests.Secrets.Hosts;

public sealed partial class HostListTests : IDisposable
{
    readonly string home = Directory.CreateTempSubdirectory("centaur-lists-").FullName;

    public void Dispose() => Directory.Delete(home, recursive: true);

    [Fact]
    public void One_word_allows_every_host_of_a_list()
    {
        var egress = Read("egress: {allow: [github, {name: reading, hosts: [GITLAB, mirror.example.com], methods: [GET]}], passthrough: [openai]}");

        egress.Allow[0].Name.ShouldBe("list:github");
        egress.Allow[0].Hosts.ShouldBe(BuiltInLists.All["github"]);
        (egress.Allow[1].Name, egress.Allow[1].Methods.Single()).ShouldBe(("reading", "GET"));
        egress.Allow[1].Hosts.ShouldBe(["gitlab.com", "mirror.example.com"]);
        egress.Passthrough.ShouldBe(["api.openai.com"]);
    }

    [Fact]
    public void An_operators_list_is_one_word_too_and_replaces_the_built_in_one_of_its_name()
    {
        var egress = Read("egress: {lists: [{name: github, hosts: [github.corp.example]}, {name: code, hosts: [git.corp.example, '*.git.corp.example']}], allow: [code, github]}");

        egress.Allow.Select(rule => rule.Name).ShouldBe(["list:code", "list:github"]);
        egress.Allow[0].Hosts.ShouldBe(["git.corp.example", "*.git.corp.example"]);
        egress.Allow[1].Hosts.ShouldBe(["github.corp.example"]);
    }

    [Fact]
    public void A_name_of_the_map_is_a_host_though_it_has_no_dot()
    {
        var rule = Read("egress: {map: [{host: gitlab, address: 127.0.0.1}], allow: [gitlab]}").Allow.Single();

        (rule.Name, rule.Hosts.Single()).ShouldBe(("allow:gitlab", "gitlab"));
    }

    [Theory]
    [InlineData("egress: {allow: [gitlap]}", "egress.allow \"gitlap\" is no list of hosts; a word without a dot names one. Known: anthropic, github, ", "Did you mean gitlab?")]
    [InlineData("egress: {allow: [{hosts: [githup]}]}", "egress.allow[].hosts \"githup\" is no list", "Did you mean github?")]
    [InlineData("egress: {passthrough: [opneai]}", "egress.passthrough \"opneai\" is no list", "Did you mean openai?")]
    [InlineData("egress: {lists: [{name: code, hosts: [git.example]}], allow: [cod]}", "Did you mean code?")]
    [InlineData("egress: {allow: ['https://git.example.com/']}", "egress.allow \"https://git.example.com/\" is not a host: write it without scheme, port and path")]
    [InlineData("egress: {allow: ['git.example.com:443']}", "is not a host")]
    [InlineData("egress: {lists: [{name: a.b, hosts: [x.example]}]}", "egress.lists[].name \"a.b\" must be lower-case letters, digits and hyphens")]
    [InlineData("egress: {lists: [{name: code}]}", "egress.lists[].hosts must name at least one host")]
    [InlineData("egress: {lists: [{hosts: [x.example]}]}", "egress.lists[].name is missing")]
    [InlineData("egress: {lists: [{name: mine, hosts: [github]}]}", "\"github\" is not a host, and a list holds no lists")]
    [InlineData("egress: {lists: [{name: mine, hosts: [a.example]}, {name: mine, hosts: [b.example]}]}", "egress.lists name mine twice")]
    [InlineData("egress: {lists: [{name: mine, host: [a.example]}]}", "egress.lists[].host is not known. Did you mean egress.lists[].hosts?")]
    [InlineData("egress: {allow: [{hosts: [a.example], paths: [v1/*]}]}", "egress.allow[].paths \"v1/*\" does not start with a slash")]
    [InlineData("egress: {map: [{host: a.example, address: 127.0.0.1}, {host: A.example, address: 127.0.0.2}]}", "egress.map names a.example:443 twice")]
    [InlineData("egress: {map: [{host: '*.a.example', address: 127.0.0.1}]}", "egress.map[].host \"*.a.example\" is a pattern")]
    public void What_no_proxy_could_follow_stops_the_start(string yaml, params string[] said)
    {
        var message = Should.Throw<SettingsException>(() => Read(yaml)).Message;

        foreach (var part in said)
            message.ShouldContain(part);
    }

    [Fact]
    public async Task Every_built_in_list_is_documented_with_its_hosts()
    {
        var text = await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "egress.md"), TestContext.Current.CancellationToken);

        var documented = Rows().Matches(text).ToDictionary(row => row.Groups["name"].Value, row => row.Groups["hosts"].Value);

        documented.ShouldBe(BuiltInLists.All.ToDictionary(list => list.Key, list => string.Join(", ", list.Value.Select(host => $"`{host}`"))), ignoreOrder: true);
    }

    [Fact]
    public void Every_host_of_a_built_in_list_is_one() =>
        BuiltInLists.All.Values.SelectMany(hosts => hosts).ShouldAllBe(host => BindingForm.IsHost(host) && host.Contains('.'));

    EgressOptions Read(string yaml)
    {
        File.WriteAllText(Path.Combine(home, "centaur.yaml"), yaml);
        var settings = Settings.Load(new Dictionary<string, string> { ["CENTAUR_HOME"] = home, ["XDG_RUNTIME_DIR"] = home }, isRoot: false);
        using var app = Program.Compose(settings) as IDisposable;
        return EgressOptions.Read(settings);
    }

    [GeneratedRegex(@"^\| `(?<name>[a-z]+)` \| (?<hosts>`[^|]*`) \|$", RegexOptions.Multiline | RegexOptions.NonBacktracking)]
    private static partial Regex Rows();
}
