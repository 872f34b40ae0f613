using System.Diagnostics;
using System.Runtime.InteropServices;
using Centaur.Cli.Processes;
using Centaur.Protocol.Host;
using Microsoft.Win32.SafeHandles;
using Shouldly;
using Xunit;

namespace Centaur.Cli.Tests.Processes;

public sealed partial class ProcessTableTests
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_process_is_known_by_its_start_and_not_by_its_pid_alone()
    {
        using var sleeper = Process.Start("sleep", "60");
        var mark = ProcessMark.Of(sleeper.Id)!;
        var earlier = mark with { StartTicks = mark.StartTicks - 1 };
        var otherBoot = mark with { BootId = "another" };

        mark.IsAlive().ShouldBeTrue();
        earlier.IsAlive().ShouldBeFalse();
        otherBoot.IsAlive().ShouldBeFalse();
        ProcessTable.Signal(earlier, Native.SigKill).ShouldBeFalse();
        mark.IsAlive().ShouldBeTrue();

        (await ProcessTable.Stop(mark, Native.SigTerm, TimeSpan.FromSeconds(10), Token)).ShouldBeTrue();
        mark.IsAlive().ShouldBeFalse();
    }

    [Fact]
    public async Task A_process_that_ignores_the_signal_is_killed()
    {
        using var stubborn = Process.Start(new ProcessStartInfo("sh", ["-c", "trap '' TERM; echo ready; while :; do sleep 1; done"]) { RedirectStandardOutput = true, UseShellExecute = false })!;
        await stubborn.StandardOutput.ReadLineAsync(Token);

        (await ProcessTable.Stop(ProcessMark.Of(stubborn.Id)!, Native.SigTerm, TimeSpan.FromMilliseconds(200), Token)).ShouldBeFalse();

        await stubborn.WaitForExitAsync(Token);
    }

    [Fact]
    public async Task A_detached_program_holds_nothing_that_its_starter_was_given()
    {
        var lockFile = Path.GetTempFileName();
        var log = Path.GetTempFileName();
        try
        {
            using var held = Native.OpenLockFile(lockFile);
            // As a shell does with `exec 9>lock`: a copy that programs inherit. It ends with the test.
            using var inherited = new SafeFileHandle(Duplicate(held), ownsHandle: true);
            inherited.IsInvalid.ShouldBeFalse();
            var mark = new ProcessCommand("sh", "-c", "ls /proc/$$/fd; echo end; exec sleep 60").StartDetached(log);
            while (!(await File.ReadAllTextAsync(log, Token)).EndsWith("end\n", StringComparison.Ordinal))
                await Task.Delay(10, Token);

            (await File.ReadAllTextAsync(log, Token)).Split('\n', StringSplitOptions.RemoveEmptyEntries).ShouldBe(["0", "1", "2", "end"]);
            await ProcessTable.Stop(mark, Native.SigTerm, TimeSpan.FromSeconds(10), Token);
        }
        finally
        {
            File.Delete(lockFile);
            File.Delete(log);
        }
    }

    [Fact]
    public async Task A_detached_program_has_a_session_of_its_own_and_its_output_in_the_log()
    {
        var log = Path.GetTempFileName();
        try
        {
            var mark = new ProcessCommand("sh", "-c", "ps -o sid= -p $$; exec sleep 60").StartDetached(log);
            while (LogTail.End(log) == 0)
                await Task.Delay(10, Token);

            (await File.ReadAllTextAsync(log, Token)).Trim().ShouldBe($"{mark.Pid}");
            await ProcessTable.Stop(mark, Native.SigTerm, TimeSpan.FromSeconds(10), Token);
        }
        finally
        {
            File.Delete(log);
        }
    }

    [Fact]
    public void A_name_with_spaces_and_brackets_does_not_shift_the_fields()
    {
        const string stat = "41 (a b) c)) S 1 41 41 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 987654 1 1 1";

        ProcessMark.StartTicksOf(stat).ShouldBe(987654);
        ProcessMark.StateOf(stat).ShouldBe('S');
    }

    [LibraryImport("libc", EntryPoint = "dup", SetLastError = true)]
    private static partial int Duplicate(SafeHandle file);
}
