using Centaur.Proxy.Audit;
using Centaur.Testing;
using Microsoft.Win32.SafeHandles;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Audit;

public sealed class AuditFileTests : IDisposable
{
    readonly TemporaryFolder folder = new();
    readonly ManualTimeProvider time = new(DateTimeOffset.UnixEpoch);

    string AuditPath => folder["audit.ndjson"];

    [Fact]
    public void F56_a_record_that_nobody_waits_for_is_in_the_file_ten_milliseconds_later()
    {
        using var file = new AuditFile(Open(), time);
        file.Defer("""{"kind":"outcome"}"""u8);
        time.Advance(TimeSpan.FromMilliseconds(9));
        Lines().ShouldBeEmpty();

        time.Advance(TimeSpan.FromMilliseconds(1));

        Lines().ShouldHaveSingleItem().ShouldStartWith("""{"kind":"outcome","hash":""");
    }

    [Fact]
    public void F56_it_comes_with_the_next_record_and_before_it_where_that_is_sooner()
    {
        using var file = new AuditFile(Open(), time);
        file.Defer("""{"kind":"outcome"}"""u8);

        file.TryAppend("""{"kind":"intent"}"""u8).ShouldBeTrue();

        Lines().Select(line => line.Split('"')[3]).ShouldBe(["outcome", "intent"]);
    }

    [Fact]
    public void F56_it_comes_at_the_end_where_the_proxy_ends_first()
    {
        using (var file = new AuditFile(Open(), time))
            file.Defer("""{"kind":"outcome"}"""u8);

        Lines().Length.ShouldBe(1);
    }

    public void Dispose() => folder.Dispose();

    SafeFileHandle Open() => File.OpenHandle(AuditPath, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite);

    string[] Lines() => File.ReadAllLines(AuditPath);
}
