using System.Text.Json;
using Centaur.EndToEnd.Egress.Vendors;
using Shouldly;
using Xunit;

namespace Centaur.EndToEnd.Egress.Clients;

/// <summary>
/// Real clients, unmodified, in a real jail: each finds its proxy and its certificates by itself, holds a placeholder where its key would be, and speaks to a
/// vendor that answers the real key alone. psql and codex have tests of their own.
/// </summary>
public sealed class ClientTests(ClientInstallation installation) : IClassFixture<ClientInstallation>
{
    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("--http1.1", "HTTP/1.1")]
    [InlineData("--http2", "HTTP/2")]
    public async Task Curl_speaks_either_HTTP_and_trusts_the_authority_of_its_sandbox_alone(string option, string protocol)
    {
        var said = await Shell(
            $"""
            curl -sS {option} --cacert /etc/centaur/ca.pem --capath /nowhere -w 'curl spoke %{"{http_version}"}\n' -H "Authorization: Bearer $VENDOR_TOKEN" https://{ClientInstallation.ApiHost}/curl{option}
            """);

        said.ShouldBe($"hello over {protocol}\ncurl spoke {protocol["HTTP/".Length..]}");
        Received(ClientInstallation.ApiHost, installation.ApiKey, $"/curl{option}").ShouldHaveSingleItem().Protocol.ShouldBe(protocol);
    }

    [Fact]
    public async Task Git_clones_and_pushes_with_a_token_in_its_address()
    {
        var said = await Shell(
            $"""
            git clone --quiet https://x-access-token:$GITHUB_TOKEN@{GitVendor.Host}/greeting.git
            cd greeting
            cat hello.txt
            git checkout --quiet -b change
            echo changed > hello.txt
            head -c 3000000 /dev/urandom > large.bin
            git add .
            git -c user.name=Agent -c user.email=agent@vendor.test commit --quiet --message Change
            git push --quiet origin change
            git ls-remote origin change | cut -f2
            """);

        said.ShouldBe("hello from a repository\nrefs/heads/change");
        (await installation.Git.Read("greeting", "change", "hello.txt", Cancellation)).ShouldBe("changed\n");
        var pushed = Received(GitVendor.Host, installation.GitKey, "/greeting.git/git-receive-pack");
        pushed.ShouldContain(request => request.Headers.GetValueOrDefault("Transfer-Encoding") == "chunked" || request.Protocol == "HTTP/2", "a pack of this size is sent in chunks");
    }

    [Fact]
    public async Task Npm_installs_a_package_and_what_it_needs_with_a_token_of_its_configuration()
    {
        var said = await Shell(
            $$"""
            printf '%s\n' 'registry=https://{{NpmVendor.Host}}/' '//{{NpmVendor.Host}}/:_authToken=${NPM_TOKEN}' > .npmrc
            npm install --no-audit --no-fund --loglevel=error greeting
            node -p "require('greeting')"
            """);

        said.ShouldEndWith("hello from a registry");
        Received(NpmVendor.Host, installation.NpmKey, "/word/-/word-1.2.3.tgz").ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Apt_updates_from_a_mirror_and_downloads_with_a_password_of_its_own_file()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/apt-get"), "apt is Debian's.");
        await installation.Apt.Make(Cancellation);

        var said = await Shell(
            $"""
            mkdir -p apt/etc/preferences.d apt/etc/trusted.gpg.d apt/state/lists/partial apt/cache/archives/partial
            touch apt/status
            echo 'deb [trusted=yes] https://{AptVendor.Host}/debian stable main' > apt/etc/sources.list
            echo "machine https://{AptVendor.Host} login build password $MIRROR_PASSWORD" > apt/etc/auth.conf
            echo "Dir \"$PWD/apt\"; Dir::Etc \"etc\"; Dir::State \"state\"; Dir::State::status \"$PWD/apt/status\"; Dir::Cache \"cache\"; APT::Architecture \"amd64\"; APT::Architectures {"{ \\\"amd64\\\"; }"};" > apt.conf
            export APT_CONFIG=$PWD/apt.conf
            apt-get -qq update
            apt-get -qq download {AptVendor.Package}
            dpkg-deb --extract {AptVendor.Package}_1.0_all.deb out
            cat out/usr/greeting
            """);

        said.ShouldEndWith(AptVendor.Greeting);
        Received(AptVendor.Host, installation.AptKey, "/debian/pool/greeting.deb").ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Pythons_urllib_reads_an_address()
    {
        var said = await Shell(
            $"""
            python3 - <<'END'
            import os, urllib.request
            asked = urllib.request.Request("https://{ClientInstallation.ApiHost}/python", headers={"{"}"Authorization": "Bearer " + os.environ["VENDOR_TOKEN"]{"}"})
            print(urllib.request.urlopen(asked).read().decode(), end="")
            END
            """);

        said.ShouldBe("hello over HTTP/1.1");
        Received(ClientInstallation.ApiHost, installation.ApiKey, "/python").ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Nodes_fetch_reads_an_address()
    {
        var said = await Shell(
            $$"""
            {{ClientInstallation.Node}} -e '
            fetch("https://{{ClientInstallation.ApiHost}}/node", { headers: { authorization: `Bearer ${process.env.VENDOR_TOKEN}` } }).then(answer => answer.text()).then(text => process.stdout.write(text))' 2>/dev/null
            """);

        said.ShouldBe("hello over HTTP/1.1");
        Received(ClientInstallation.ApiHost, installation.ApiKey, "/node").ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_program_in_CSharp_is_built_and_its_HttpClient_reads_an_address_over_HTTP2()
    {
        var said = await Shell(
            $$"""
            export DOTNET_CLI_HOME=$PWD DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_SKIP_WORKLOAD_INTEGRITY_CHECK=1
            cat > ask.cs <<'END'
            #:property PublishAot=false
            #:property NuGetAudit=false
            using var http = new HttpClient { DefaultRequestVersion = new Version(2, 0) };
            http.DefaultRequestHeaders.Authorization = new("Bearer", Environment.GetEnvironmentVariable("VENDOR_TOKEN"));
            Console.Write(await http.GetStringAsync("https://{{ClientInstallation.ApiHost}}/dotnet"));
            END
            dotnet run ask.cs
            """);

        said.ShouldBe("hello over HTTP/2");
        Received(ClientInstallation.ApiHost, installation.ApiKey, "/dotnet").ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Claude_code_answers_and_runs_a_command_of_its_model()
    {
        var conversation = new Conversation(installation, "built-in");
        var said = await Shell(
            conversation,
            $"""
            export CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1 DISABLE_AUTOUPDATER=1
            {ClientInstallation.Claude} -p 'Run: echo $((6*7)) from a tool' --allowedTools Bash < /dev/null
            """);

        said.ShouldBe("42 from a tool");
        installation.Anthropic.Requests.ShouldNotBeEmpty();
        installation.Anthropic.Requests.ShouldAllBe(request => request["credential"]!.GetValue<string>() == "ok");
        await IsOnRecord(conversation, "api.anthropic.com", "ANTHROPIC_API_KEY");
    }

    Task<string> Shell(string script) => Shell(new Conversation(installation, "built-in"), script);

    async Task<string> Shell(Conversation conversation, string script)
    {
        var said = await conversation.Shell("set -euo pipefail\n" + script, Cancellation);
        said.ShouldNotContain("(exit code", Case.Sensitive, said);
        foreach (var key in installation.Keys)
            said.ShouldNotContain(key.Value);
        return said;
    }

    /// <summary>What the vendor received on this path, all of it with the real key.</summary>
    IReadOnlyList<VendorRequest> Received(string host, VendorKey key, string path)
    {
        var received = installation.Origin.Received(host).Where(request => request.Target.Split('?')[0] == path && request.Headers.ContainsKey("Authorization")).ToList();
        received.ShouldNotBeEmpty();
        received.ShouldAllBe(request => request.Headers["Authorization"] == key.Authorization);
        return received;
    }

    async Task IsOnRecord(Conversation conversation, string host, string secret)
    {
        var records = await EgressRecords.Of(installation, conversation, all => all.Any(record => record.Text("host") == host), Cancellation);
        records.Where(record => record.Text("kind") == "intent" && record.Text("host") == host)
            .ShouldAllBe(record => record.GetProperty("secrets").EnumerateArray().Select(name => name.GetString()).SequenceEqual(new[] { secret }));
    }
}
