using System.Text.RegularExpressions;
using Centaur.Server.Platform.Configuration;
using Centaur.Server.Secrets;
using Microsoft.Extensions.DependencyInjection;

namespace Centaur.Server.Tests.Platform.Configuration;

public sealed partial class SettingsTests : IDisposable
{
    readonly string home = Directory.CreateTempSubdirectory("centaur-settings-").FullName;

    public void Dispose() => Directory.Delete(home, recursive: true);

    [Fact]
    public void No_configuration_is_a_good_configuration() => Should.NotThrow(() => Compose(""));

    [Fact]
    public void Everything_that_is_wrong_comes_in_one_message_with_line_and_nearest_name()
    {
        var message = Should.Throw<SettingsException>(() => Compose(
            """
            listen:
              apii: 127.0.0.1:8000
              max_body: huge
            workers: {}
            egress:
              allow:
                - name: nowhere
                - hosts: [a.example]
                  method: [GET]
              map:
                - host: x
                  address: not-an-ip
            worker: {lease_seconds: 2, renew_seconds: 1.5}
            harness: {default: codexx}
            """,
            ("CENTAUR_HOMES", "/x"), ("EXECUTION_WORKER_CONCURRENCY", "many"))).Message;
        var file = Path.Combine(home, "centaur.yaml");
        message.ShouldContain($"{file}:2: listen.apii is not known. Did you mean listen.api?");
        message.ShouldContain($"{file}:3: listen.max_body \"huge\" must be a size");
        message.ShouldContain($"{file}:4: workers is not known. Did you mean worker?");
        message.ShouldContain($"{file}:7: egress.allow[].hosts must name at least one host.");
        message.ShouldContain($"{file}:9: egress.allow[].method is not known. Did you mean egress.allow[].methods?");
        message.ShouldContain($"{file}:12: egress.map[].address \"not-an-ip\" must be an IP address.");
        message.ShouldContain($"{file}:14: harness.default \"codexx\" is not one of codex, built-in. Did you mean codex?");
        message.ShouldContain("CENTAUR_HOMES is set, and no program reads it. Did you mean CENTAUR_HOME?");
        message.ShouldContain("worker.concurrency \"many\" must be a whole number");
    }

    [Theory]
    [InlineData("listen: [", "this is not YAML")]
    [InlineData("listen: [a", "this is not YAML")]
    [InlineData("listen: {api: a}\nlisten: {}", "this is not YAML")]
    [InlineData("- a", "must be a mapping")]
    [InlineData("listen: 7", "listen must be a mapping of keys")]
    [InlineData("egress: {allow: 5}", "egress.allow must be a list")]
    [InlineData("egress: {allow: {hosts: [a.example]}}", "egress.allow must be a list")]
    [InlineData("egress: {map: x}", "egress.map must be a list")]
    [InlineData("egress: {secrets: GITHUB_TOKEN}", "egress.secrets must be a list")]
    [InlineData("egress: {passthrough: true}", "egress.passthrough must be a list")]
    [InlineData("egress: {allow: ['']}", "each item must be a word")]
    [InlineData("egress: {allow: [{hosts: [a.example], ports: 80}]}", "egress.allow[].ports must be a list")]
    [InlineData("model: [codex]", "model must be a mapping of keys")]
    [InlineData("model: {codex: [a]}", "model.codex must be a mapping of keys")]
    [InlineData("log: {level: [a]}", "log.level must be a single value")]
    [InlineData("listen: {xyz: 1}", "listen.xyz is not known. Known here: api, body_memory, cors_origins, hosts, max_body, public.")]
    public void A_file_that_is_no_configuration_is_refused(string yaml, string expected) =>
        Should.Throw<SettingsException>(() => Compose(yaml)).Message.ShouldContain(expected);

    [Theory]
    [InlineData("listen: {api: off}", "such as 127.0.0.1:8000.")]
    [InlineData("listen: {api: nonsense}", "such as 127.0.0.1:8000.")]
    [InlineData("listen: {public: nonsense}", "such as 127.0.0.1:8002, or off.")]
    public void An_address_that_is_none_is_one_error(string yaml, string expected)
    {
        var message = Should.Throw<SettingsException>(() => Compose(yaml)).Message;
        message.ShouldContain(expected);
        message.Split('\n').Length.ShouldBe(1);
    }

    [Fact]
    public void A_variable_that_is_far_from_every_known_one_is_no_riddle() =>
        Should.Throw<SettingsException>(() => Compose("", ("CENTAUR_SOMETHING_ELSE", "x"))).Message.ShouldNotContain("Did you mean");

    [Fact]
    public void A_password_never_reaches_the_message() =>
        Should.Throw<SettingsException>(() => Compose("", ("DATABASE_URL", "mysql://me:hunter2@host/db"))).Message.ShouldNotContain("hunter2");

    [Fact]
    public async Task The_environment_wins_over_the_file_and_sections_become_typed_options()
    {
        await using var app = Program.Compose(Load(
            """
            egress:
              allow: [PyPI.org, {name: r, hosts: [a.example], methods: [get], ports: [8443]}]
              map: [{host: models.internal, address: 127.0.0.1, target_port: 11434, plaintext: true}]
            sandbox: {memory: 1.5GiB}
            worker: {concurrency: 2}
            """,
            ("EXECUTION_WORKER_CONCURRENCY", "9")));
        var egress = app.Services.GetRequiredService<EgressOptions>();
        egress.Allow.Select(r => r.Hosts.Single()).ShouldBe(["pypi.org", "a.example"]);
        egress.Allow[1].Methods.ShouldBe(["GET"]);
        egress.Map.Single().TargetPort.ShouldBe(11434);
        app.Services.GetRequiredService<Centaur.Server.Sandboxes.SandboxOptions>().Limits.MemoryBytes.ShouldBe(1536L << 20);
        app.Services.GetRequiredService<Centaur.Server.Executions.ExecutionOptions>().Concurrency.ShouldBe(9);
    }

    [Theory]
    [InlineData("secrets: {vault_kv: {adress: 'https://v.test'}}", "Did you mean secrets.vault_kv.address?")]
    [InlineData("secrets: {vault_kv: {token: hvs.x}}", "secrets.vault_kv.token is not known")]
    [InlineData("secrets: {1password_connect: {address: 'http://connect.test'}}", "in the clear")]
    [InlineData("secrets: {kubernetes: {folder: relative}}", "must be an absolute path")]
    public void Settings_of_the_broker_s_sources_are_checked_here_too(string yaml, string said) =>
        Should.Throw<SettingsException>(() => Compose(yaml)).Message.ShouldContain(said);

    [Fact]
    public async Task Every_option_and_variable_is_documented_and_nothing_else_is()
    {
        var settings = Load("");
        await using var app = Program.Compose(settings);
        var documented = Names().Matches(await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "configuration.md"), TestContext.Current.CancellationToken))
            .Select(m => m.Groups["name"].Value).ToHashSet();
        var sections = settings.Keys.Select(k => k.Split('.')[0]).ToHashSet();
        settings.Keys.Where(k => !documented.Contains(k)).ShouldBeEmpty();
        settings.Variables.Where(v => !documented.Contains(v)).ShouldBeEmpty();
        documented.Where(d => d.Contains('.') && sections.Contains(d.Split('.')[0]) && !settings.Keys.Contains(d) && d is not ("model.codex" or "model.built-in")).ShouldBeEmpty();
    }

    [GeneratedRegex("`(?<name>[A-Za-z_]+(?:\\.[a-z0-9_\\[\\]-]+)*)`", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex Names();

    void Compose(string yaml, params (string Name, string Value)[] variables)
    {
        using var app = Program.Compose(Load(yaml, variables)) as IDisposable;
    }

    Settings Load(string yaml, params (string Name, string Value)[] variables)
    {
        File.WriteAllText(Path.Combine(home, "centaur.yaml"), yaml);
        var environment = variables.ToDictionary(v => v.Name, v => v.Value);
        environment["CENTAUR_HOME"] = home;
        environment["XDG_RUNTIME_DIR"] = home;
        return Settings.Load(environment, isRoot: false);
    }
}
