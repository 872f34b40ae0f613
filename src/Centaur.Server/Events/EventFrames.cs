using System.Buffers;
using System.Globalization;
using System.Text;

namespace Centaur.Server.Events;

/// <summary>The text form of server-sent events (contract §1.6): <c>id</c>, <c>event</c>, <c>data</c> with compact JSON, an empty line.</summary>
internal static class EventFrames
{
    public static void Write(IBufferWriter<byte> output, long? id, string kind, string json)
    {
        if (id is { } known)
            Encoding.UTF8.GetBytes($"id: {known.ToString(CultureInfo.InvariantCulture)}\n", output);
        Encoding.UTF8.GetBytes($"event: {kind}\ndata: ", output);
        WriteCompact(output, json);
        Encoding.UTF8.GetBytes("\n\n", output);
    }

    public static void WriteKeepAlive(IBufferWriter<byte> output) => output.Write(": keepalive\n\n"u8);

    /// <summary>Postgres prints jsonb with a space after each colon and comma; the wire has none. Strings are left as they are.</summary>
    static void WriteCompact(IBufferWriter<byte> output, string json)
    {
        var chars = ArrayPool<char>.Shared.Rent(json.Length);
        try
        {
            var length = 0;
            var inString = false;
            for (var i = 0; i < json.Length; i++)
            {
                var c = json[i];
                if (!inString && c is ' ')
                    continue;
                if (c == '"')
                    inString = !inString;
                chars[length++] = c;
                if (c == '\\' && inString)
                    chars[length++] = json[++i];
            }

            Encoding.UTF8.GetBytes(chars.AsSpan(0, length), output);
        }
        finally
        {
            ArrayPool<char>.Shared.Return(chars);
        }
    }
}
