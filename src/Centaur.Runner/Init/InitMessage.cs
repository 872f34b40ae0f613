using System.Text;

namespace Centaur.Runner.Init;

/// <summary>
/// What a keeper and its jail's pid 1 say to each other, one packet each. Binary, so that pid 1 needs no JSON and stays small.
/// The keeper believes nothing in an answer beyond its shape: whoever owns the jail may own pid 1.
/// </summary>
internal abstract record InitMessage
{
    /// <param name="Id">Pairs question and answer.</param>
    /// <param name="Arguments">The program's path in the jail, then its arguments.</param>
    /// <param name="Environment">The whole environment.</param>
    /// <param name="Folder">Where it starts. Standard input, output and error come as three descriptors.</param>
    public sealed record Execute(int Id, IReadOnlyList<string> Arguments, IReadOnlyDictionary<string, string> Environment, string Folder) : InitMessage;

    /// <summary>Signals a program that was started here, with every process of its group, its session and its descendants.</summary>
    public sealed record Signal(int Pid, int Number) : InitMessage;

    /// <summary>Writes a file, replacing what was there; its content comes as a descriptor.</summary>
    public sealed record WriteFile(int Id, string Path, uint Mode) : InitMessage;

    /// <summary>The forwarders listen.</summary>
    public sealed record Ready : InitMessage;

    /// <param name="Id">The question's id.</param>
    /// <param name="Pid">The program's id in the jail, or 0.</param>
    /// <param name="Error">Why it did not start, or empty.</param>
    public sealed record Executed(int Id, int Pid, string Error) : InitMessage;

    /// <summary>A program that was started here has ended, with this wait status.</summary>
    public sealed record Exited(int Pid, int Status) : InitMessage;

    /// <param name="Id">The question's id.</param>
    /// <param name="Error">Why it was not written, or empty.</param>
    public sealed record Written(int Id, string Error) : InitMessage;

    /// <summary>The packet of this message.</summary>
    public byte[] Encode()
    {
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes, Encoding.UTF8);
        switch (this)
        {
            case Execute execute:
                writer.Write((byte)1);
                writer.Write(execute.Id);
                writer.Write(execute.Arguments.Count);
                foreach (var argument in execute.Arguments)
                    writer.Write(argument);
                writer.Write(execute.Environment.Count);
                foreach (var (name, value) in execute.Environment)
                {
                    writer.Write(name);
                    writer.Write(value);
                }

                writer.Write(execute.Folder);
                break;
            case Signal signal:
                writer.Write((byte)2);
                writer.Write(signal.Pid);
                writer.Write(signal.Number);
                break;
            case WriteFile file:
                writer.Write((byte)3);
                writer.Write(file.Id);
                writer.Write(file.Path);
                writer.Write(file.Mode);
                break;
            case Ready:
                writer.Write((byte)4);
                break;
            case Executed executed:
                writer.Write((byte)5);
                writer.Write(executed.Id);
                writer.Write(executed.Pid);
                writer.Write(executed.Error);
                break;
            case Exited exited:
                writer.Write((byte)6);
                writer.Write(exited.Pid);
                writer.Write(exited.Status);
                break;
            case Written written:
                writer.Write((byte)7);
                writer.Write(written.Id);
                writer.Write(written.Error);
                break;
        }

        writer.Flush();
        return bytes.ToArray();
    }

    /// <exception cref="IOException">The packet is not one of ours.</exception>
    public static InitMessage Decode(ReadOnlySpan<byte> packet)
    {
        using var reader = new BinaryReader(new MemoryStream(packet.ToArray()), Encoding.UTF8);
        return reader.ReadByte() switch
        {
            1 => new Execute(reader.ReadInt32(), Strings(reader), Pairs(reader), reader.ReadString()),
            2 => new Signal(reader.ReadInt32(), reader.ReadInt32()),
            3 => new WriteFile(reader.ReadInt32(), reader.ReadString(), reader.ReadUInt32()),
            4 => new Ready(),
            5 => new Executed(reader.ReadInt32(), reader.ReadInt32(), reader.ReadString()),
            6 => new Exited(reader.ReadInt32(), reader.ReadInt32()),
            7 => new Written(reader.ReadInt32(), reader.ReadString()),
            var kind => throw new IOException($"A packet of kind {kind} is not known."),
        };
    }

    static List<string> Strings(BinaryReader reader)
    {
        var strings = new List<string>();
        for (var left = reader.ReadInt32(); left > 0; left--)
            strings.Add(reader.ReadString());
        return strings;
    }

    static Dictionary<string, string> Pairs(BinaryReader reader)
    {
        var pairs = new Dictionary<string, string>();
        for (var left = reader.ReadInt32(); left > 0; left--)
            pairs[reader.ReadString()] = reader.ReadString();
        return pairs;
    }
}
