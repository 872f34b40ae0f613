using System.Text.Json;
using Microsoft.Win32.SafeHandles;

namespace Centaur.Runner.Keep.Journal;

/// <summary>
/// What a keeper must still know after <c>kill -9</c>: each change is appended to a file before anybody acts on it, and the file is folded when it is opened.
/// </summary>
internal sealed class KeeperState : IDisposable
{
    readonly Lock gate = new();
    readonly SafeFileHandle file;
    readonly HashSet<string> delivered = [];
    readonly Dictionary<string, string> steered = new(StringComparer.Ordinal);
    long written;

    public KeeperState(string path)
    {
        file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite);
        var content = new byte[RandomAccess.GetLength(file)];
        RandomAccess.Read(file, content, 0);
        written = content.AsSpan().LastIndexOf((byte)'\n') + 1;
        RandomAccess.SetLength(file, written);
        foreach (var range in content.AsSpan(0, (int)written).Split((byte)'\n'))
        {
            if (content[range] is { Length: > 0 } line && JsonSerializer.Deserialize(line, KeeperRecordJson.Default.KeeperRecord) is { } record)
                Fold(record);
        }
    }

    public long Generation { get; private set; }

    public long PolicyVersion { get; private set; }

    public string? ThreadKey { get; private set; }

    public string? TraceId { get; private set; }

    /// <summary>The turn that the harness has and that has not ended.</summary>
    public string? Turn { get; private set; }

    public bool Born { get; private set; }

    public bool WasDelivered(string turn)
    {
        lock (gate)
            return delivered.Contains(turn);
    }

    /// <summary>What was done with a steering message; null where it is new.</summary>
    public string? DispositionOf(string steering)
    {
        lock (gate)
            return steered.GetValueOrDefault(steering);
    }

    public void Write(KeeperRecord record)
    {
        byte[] line = [.. JsonSerializer.SerializeToUtf8Bytes(record, KeeperRecordJson.Default.KeeperRecord), (byte)'\n'];
        lock (gate)
        {
            RandomAccess.Write(file, line, written);
            written += line.Length;
            Fold(record);
        }
    }

    void Fold(KeeperRecord record)
    {
        Generation = record.Generation ?? Generation;
        PolicyVersion = record.PolicyVersion ?? PolicyVersion;
        ThreadKey = record.ThreadKey ?? ThreadKey;
        TraceId = record.TraceId ?? TraceId;
        Born = record.Born ?? Born;
        if (record.Delivered is { } turn)
        {
            delivered.Add(turn);
            Turn = turn;
        }

        if (record.Steered is { } steering)
            steered[steering] = record.Disposition ?? "";
        if (record.Ended is { } ended && ended == Turn)
            Turn = null;
    }

    public void Dispose() => file.Dispose();
}
