using System.Buffers;
using System.Text;
using System.Text.Json;
using Centaur.Protocol.Attach;

namespace Centaur.Runner.Keep;

/// <summary>The events that a keeper writes into the journal itself; <see cref="KeeperEvents"/> has their shapes.</summary>
internal static class KeeperNotices
{
    const int HeadCharacters = 200;

    public static byte[] HarnessStarted(string harness, string version, int pid) => Object(KeeperEvents.HarnessStarted, writer =>
    {
        writer.WriteString("harness", harness);
        writer.WriteString("version", version);
        writer.WriteNumber("pid", pid);
        writer.WriteString("message", $"{harness} {version} runs.");
    });

    public static byte[] HarnessExited(ProcessEnd end) => Exited(KeeperEvents.HarnessExited, end);

    public static byte[] JailExited(ProcessEnd end) => Exited(KeeperEvents.JailExited, end);

    public static byte[] LineQuarantined(string reason, long bytes, ReadOnlySpan<byte> head) =>
        Quarantined(reason, bytes, Encoding.UTF8.GetString(head[..Math.Min(head.Length, HeadCharacters)]));

    public static byte[] OutputCut(long droppedBytes) => Object(KeeperEvents.OutputCut, writer =>
    {
        writer.WriteNumber("dropped_bytes", droppedBytes);
        writer.WriteString("message", $"{droppedBytes} bytes of output were cut: nobody stored it fast enough.");
    });

    public static byte[] ProxyRestarted() => Object(KeeperEvents.ProxyRestarted, writer =>
        writer.WriteString("message", "The proxy ended and runs again; requests that were under way failed."));

    public static byte[] TurnFailed(string message) => Object(KeeperEvents.TurnFailed, writer => writer.WriteString("message", message));

    static byte[] Quarantined(string reason, long bytes, string head) => Object(KeeperEvents.LineQuarantined, writer =>
    {
        writer.WriteString("reason", reason);
        writer.WriteNumber("bytes", bytes);
        writer.WriteString("head", head);
        writer.WriteString("message", $"A line of {bytes} bytes from the harness was put aside: {reason}.");
    });

    static byte[] Exited(string type, ProcessEnd end) => Object(type, writer =>
    {
        if (end.Status.ExitCode is { } code)
            writer.WriteNumber("exit_code", code);
        if (end.Status.Signal is { } signal)
            writer.WriteNumber("signal", signal);
        writer.WriteString("cause", end.Cause);
        writer.WriteString("message", end.Message);
    });

    static byte[] Object(string type, Action<Utf8JsonWriter> members)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("type", type);
            members(writer);
            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }
}
