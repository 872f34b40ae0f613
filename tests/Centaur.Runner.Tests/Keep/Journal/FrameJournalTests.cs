using System.Text;
using System.Text.Json;
using Centaur.Protocol;
using Centaur.Protocol.Attach;
using Centaur.Runner.Keep.Journal;
using Centaur.Testing;
using Shouldly;
using Xunit;

namespace Centaur.Runner.Tests.Keep.Journal;

public sealed class FrameJournalTests : IDisposable
{
    readonly TemporaryFolder folder = new();

    [Fact]
    public void Every_frame_after_any_number_is_read_exactly_once()
    {
        using var journal = Filled(500, capBytes: 1 << 20);

        for (var after = 0; after <= 500; after++)
            Sequence(journal, after).ShouldBe(Enumerable.Range(after + 1, 500 - after).Select(seq => (long)seq));
    }

    [Fact]
    public void Numbers_go_on_where_they_stopped_when_everything_was_forgotten()
    {
        using (var journal = Filled(500, capBytes: 64 * 1024))
            journal.Acknowledge(500);
        using var reopened = new FrameJournal(folder.FullPath, 64 * 1024);

        reopened.Append(null, null, "{}"u8).ShouldBe(501);
    }

    [Fact]
    public void A_line_that_its_writer_did_not_finish_is_cut_and_its_number_used_again()
    {
        Filled(3, capBytes: 1 << 20).Dispose();
        File.AppendAllText(Directory.GetFiles(folder.FullPath).Single(), """{"seq":4,"event":{"to""");
        using var journal = new FrameJournal(folder.FullPath, 1 << 20);

        journal.LastSeq.ShouldBe(3);
        journal.Append(null, null, "{}"u8).ShouldBe(4);
        Sequence(journal, 0).ShouldBe([1, 2, 3, 4]);
    }

    [Fact]
    public void Acknowledging_makes_room_again()
    {
        using var journal = new FrameJournal(folder.FullPath, 64 * 1024);
        while (journal.HasRoom)
            journal.Append("turn-1", null, """{"type":"assistant"}"""u8);

        journal.Acknowledge(journal.LastSeq);

        journal.HasRoom.ShouldBeTrue();
        Directory.GetFiles(folder.FullPath).Sum(file => new FileInfo(file).Length).ShouldBeLessThan(8 * 1024);
    }

    [Fact]
    public void A_frame_larger_than_a_segment_and_than_the_reader_is_whole()
    {
        using var journal = new FrameJournal(folder.FullPath, 1 << 20);
        var text = new string('x', 900_000);
        journal.Append(null, null, Encoding.UTF8.GetBytes($$"""{"text":"{{text}}"}"""));
        journal.Append(null, null, "{}"u8);

        Read(journal, 0)[0].Event.GetProperty("text").GetString().ShouldBe(text);
        Sequence(journal, 0).ShouldBe([1, 2]);
    }

    public void Dispose() => folder.Dispose();

    FrameJournal Filled(int frames, long capBytes)
    {
        var journal = new FrameJournal(folder.FullPath, capBytes);
        for (var i = 1; i <= frames; i++)
            journal.Append("turn-1", null, Encoding.UTF8.GetBytes($$"""{"type":"assistant","i":{{i}}}"""));
        return journal;
    }

    static IEnumerable<long> Sequence(FrameJournal journal, long after) => Read(journal, after).Select(frame => frame.Seq);

    static List<Frame> Read(FrameJournal journal, long after)
    {
        var reader = new JournalReader(journal, after);
        var frames = new List<Frame>();
        for (ReadOnlyMemory<byte> lines; !(lines = reader.Read()).IsEmpty;)
        {
            foreach (var line in Encoding.UTF8.GetString(lines.Span).Split('\n', StringSplitOptions.RemoveEmptyEntries))
                frames.Add(JsonSerializer.Deserialize(line, ProtocolJson.Default.Frame)!);
        }

        return frames;
    }
}
