using Npgsql;

namespace Centaur.Server.Sandboxes;

/// <summary>A sandbox as its owner sees it. A spare has no thread.</summary>
internal sealed record SandboxRow(
    string SandboxId, string? ThreadKey, string State, long FencingGeneration, long LastSeq, long PolicyVersion, int? JailUid, string Folder)
{
    public static SandboxRow Read(NpgsqlDataReader row) => new(
        row.GetString(0), row.IsDBNull(1) ? null : row.GetString(1), row.GetString(2), row.GetInt64(3), row.GetInt64(4), row.GetInt64(5),
        row.IsDBNull(6) ? null : row.GetInt32(6), row.GetString(7));
}
