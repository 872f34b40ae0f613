using Shouldly;
using Xunit;

namespace Centaur.EndToEnd.Egress.Attacks;

/// <summary>A jail that wears its proxy out, or wants to be rid of it.</summary>
[Collection(AttackedCollection.Name)]
public sealed class ExhaustionAttackTests(AttackedInstallation installation)
{
    readonly Attacker attacker = new(installation);

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task F45_more_connections_than_a_jail_may_have_cost_their_own_jail_answers_and_no_neighbour()
    {
        var neighbour = new Attacker(installation);
        await attacker.Begin(
            """
            import resource, select
            most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
            held, told = [], ""
            while len(held) < min(5000, most - 50) and not told:
                held.append(dial())
                if len(held) > 1100 and (answered := select.poll()):
                    answered.register(held[-1], select.POLLIN)
                    if answered.poll(100):
                        told = rest(held[-1])
            say("held", len(held))
            say("told", verdict(told))
            say("advice", "Retry-After: 1" in told)
            leave("full")
            wait_for("go")
            for stream in held:
                stream.close()
            deadline = time.monotonic() + 20
            while (after := verdict(ask("/f45-after"))) != "200" and time.monotonic() < deadline:
                time.sleep(0.2)
            say("after", after)
            """, Cancellation);
        await attacker.Leaves("full", Cancellation);

        var meanwhile = await neighbour.Try("""say("verdict", verdict(ask("/f45-neighbour", headers=bearer())))""", Cancellation);
        attacker.Leave("go");
        var found = await attacker.End(Cancellation);

        meanwhile.Word("verdict").ShouldBe("200");
        found.Word("told").ShouldBe("429 too_many_connections");
        found["advice"].GetBoolean().ShouldBeTrue();
        found.Word("after").ShouldBe("200");
        installation.Origin.Seen.Single(request => request.Target == "/f45-neighbour").Headers["Authorization"].ShouldBe(installation.Key.Authorization);
    }

    [Fact]
    public async Task F45_a_jail_neither_sees_nor_replaces_its_proxy()
    {
        var found = await attacker.Try(
            """
            import signal
            names = [open(f"/proc/{pid}/comm").read().strip() for pid in os.listdir("/proc") if pid.isdigit()]
            say("proxies", [name for name in names if "proxy" in name])
            refused = []
            for folder, _, files in os.walk("/run/centaur"):
                for file in files:
                    for act in (os.unlink, lambda path: os.rename(path, path + ".old"), lambda path: open(path + ".new", "w")):
                        try:
                            act(os.path.join(folder, file))
                            refused.append("done")
                        except OSError as error:
                            refused.append(type(error).__name__)
            say("sockets", len(refused))
            say("done", refused.count("done"))
            say("verdict", verdict(ask("/f45-still", headers=bearer())))
            """, Cancellation);

        found["proxies"].GetArrayLength().ShouldBe(0);
        found["sockets"].GetInt32().ShouldBeGreaterThan(0);
        found["done"].GetInt32().ShouldBe(0);
        found.Word("verdict").ShouldBe("200");
    }

    [Fact]
    public async Task F45_while_its_proxy_is_dead_nothing_leaves_and_the_record_goes_on_with_the_next()
    {
        await attacker.Begin(
            """
            verdicts = [verdict(ask("/f45-killed?n=0", headers=bearer()))]
            leave("begun")
            number = 0
            while not os.path.exists("go") or verdicts[-1] != "200":
                number += 1
                try:
                    verdicts.append(verdict(ask(f"/f45-killed?n={number}", headers=bearer())))
                except OSError:
                    verdicts.append("closed")
            say("answered", verdicts.count("200"))
            say("kinds", sorted(set(verdicts)))
            """, Cancellation);
        await attacker.Leaves("begun", Cancellation);
        var first = SandboxProcesses.Proxy(installation, attacker.Conversation.ThreadKey);

        SandboxProcesses.Kill(first);
        await Programs.Until(() => Directory.Exists($"/proc/{SandboxProcesses.Keeper(installation, attacker.Conversation.ThreadKey)}") && Next() is { } next && next != first, Cancellation);
        attacker.Leave("go");
        var found = await attacker.End(Cancellation);

        found["answered"].GetInt32().ShouldBeGreaterThan(1);
        found["kinds"].EnumerateArray().Select(kind => kind.GetString()).ShouldBeSubsetOf(["200", "closed", "403 host_not_allowed"], "the next one denies everything until it has its policy");
        var received = installation.Origin.Seen.Where(request => request.Target.StartsWith("/f45-killed", StringComparison.Ordinal)).ToList();
        received.ShouldAllBe(request => request.Headers["Authorization"] == installation.Key.Authorization);
        // Every one that arrived is on record, though the outcome of the one that was under way died with its proxy.
        var sandbox = SandboxProcesses.SandboxId(installation, attacker.Conversation.ThreadKey);
        await EgressRecords.Of(installation, attacker.Conversation, records => records.Count(record => record.Text("path") == "/f45-killed") >= received.Count, Cancellation);
        (await installation.Cli(["egress", "verify", "--sandbox", sandbox], null, Cancellation)).Succeeded().Output.ShouldStartWith("Holds:");

        int? Next()
        {
            try
            {
                return SandboxProcesses.Proxy(installation, attacker.Conversation.ThreadKey);
            }
            catch (InvalidOperationException)
            {
                return null; // Between the two there is none.
            }
        }
    }
}
