using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Centaur.Protocol;
using Centaur.Protocol.Host;

namespace Centaur.Cli.Processes;

/// <summary>Small JSON files that name a process. One that is torn, or names a process of another boot or another start, names nobody.</summary>
internal static class PidFile
{
    public static ProcessMark? AliveIn(string path) => Read(path, ProtocolJson.Default.ProcessMark) is { } mark && mark.IsAlive() ? mark : null;

    public static T? Read<T>(string path, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), type);
        }
        catch (Exception unreadable) when (unreadable is IOException or JsonException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    public static void Write<T>(string path, T value, JsonTypeInfo<T> type)
    {
        var fresh = path + ".new";
        File.WriteAllBytes(fresh, JsonSerializer.SerializeToUtf8Bytes(value, type));
        File.Move(fresh, path, overwrite: true);
    }
}
