using Shouldly;
using Xunit;

namespace Centaur.EndToEnd.Egress.Attacks;

/// <summary>A turn that goes on while the keys behind it change, are taken away, or cannot be had. A value is used for a minute at most.</summary>
public sealed class LossTests(AttackedInstallation installation) : IClassFixture<AttackedInstallation>
{
    static readonly TimeSpan TimeToLive = TimeSpan.FromMinutes(1);

    readonly Attacker attacker = new(installation);

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task F10_without_broker_and_server_the_last_policy_holds_and_then_no_key_leaves()
    {
        await attacker.Begin(
            """
            held = "/f10-held?key=" + os.environ["FORM_TOKEN"]
            say("before", verdict(ask(held)))
            leave("begun")
            wait_for("alone")
            say("at-once", verdict(ask(held)))
            say("never-fetched", verdict(ask("/f10-other", headers=bearer())))
            begun = time.monotonic()
            while (last := verdict(ask(held))) == "200" and time.monotonic() < begun + 80:
                time.sleep(0.5)
            say("last", last)
            say("without-key", verdict(ask("/f10-plain")))
            say("not-allowed", verdict(ask("/", host="evil.test")))
            leave("over")
            wait_for("up")
            """, Cancellation);
        await attacker.Leaves("begun", Cancellation);

        SandboxProcesses.Kill(installation.ServerPid!.Value);
        SandboxProcesses.Kill(installation.BrokerPid);
        var alone = TimeProvider.System.GetTimestamp();
        attacker.Leave("alone");
        await attacker.Leaves("over", Cancellation);

        TimeProvider.System.GetElapsedTime(alone).ShouldBeLessThan(1.25 * TimeToLive);
        await installation.Up(Cancellation);
        attacker.Leave("up");
        var found = await attacker.End(Cancellation);

        found.Word("before").ShouldBe("200");
        found.Word("at-once").ShouldBe("200");
        found.Word("never-fetched").ShouldBe("503 secret_unavailable");
        found.Word("last").ShouldBe("503 secret_unavailable");
        found.Word("without-key").ShouldBe("200");
        found.Word("not-allowed").ShouldBe("403 host_not_allowed");
        installation.Origin.Seen.ShouldNotContain(request => request.Target == "/f10-other");
        installation.Origin.Seen.Where(request => request.Target.StartsWith("/f10-held", StringComparison.Ordinal)).ShouldAllBe(request => request.Target == "/f10-held?key=" + installation.FormKey.Value);
        // What was written while nobody read it is read now.
        (await attacker.Refusals("evil.test", 1, Cancellation)).ShouldBe(["host_not_allowed"]);
    }

    [Fact]
    public async Task F38_a_key_that_is_changed_or_removed_while_a_turn_runs_is_another_or_none_within_a_minute()
    {
        const string keepAsking =
            """
            leave("begun")
            begun = time.monotonic()
            while (last := verdict(ask("/f38", headers=bearer()))) == "200" and not os.path.exists("go") and time.monotonic() < begun + 100:
                time.sleep(0.25)
            # What was under way when its key was taken back is cut off; the next one is told why.
            say("last", last if last != "closed" else verdict(ask("/f38", headers=bearer())))
            """;
        const string second = "vk-the-second-value-5f0c";
        try
        {
            await attacker.Begin(keepAsking, Cancellation);
            await Programs.Until(() => Received().Contains(installation.Key.Authorization), Cancellation);

            var changed = TimeProvider.System.GetTimestamp();
            await installation.SetKey(installation.Key, second, Cancellation);
            await Programs.Until(() => Received().Contains("Bearer " + second), Cancellation);
            TimeProvider.System.GetElapsedTime(changed).ShouldBeLessThan(1.25 * TimeToLive);
            attacker.Leave("go");
            (await attacker.End(Cancellation)).Word("last").ShouldBe("200");

            await attacker.Begin("os.remove('go'); os.remove('begun')\n" + keepAsking, Cancellation);
            await attacker.Leaves("begun", Cancellation);
            var removed = TimeProvider.System.GetTimestamp();
            (await installation.Cli(["secrets", "rm", installation.Key.Secret], null, Cancellation)).Succeeded();
            (await attacker.End(Cancellation)).Word("last").ShouldBe("503 secret_unavailable");
            TimeProvider.System.GetElapsedTime(removed).ShouldBeLessThan(1.25 * TimeToLive);
            Received().Distinct().ShouldBe([installation.Key.Authorization, "Bearer " + second]);
        }
        finally
        {
            await installation.SetKey(installation.Key, installation.Key.Value, Cancellation);
        }
    }

    List<string> Received() => [.. installation.Origin.Seen.Where(request => request.Target == "/f38").Select(request => request.Headers["Authorization"])];
}
