using Npgsql;

namespace Centaur.Server.Sandboxes;

/// <summary>A sandbox as its owner sees it.</summary>
internal sealed record SandboxRow(
    string SandboxId, string ThreadKey, string State, long FencingGeneration, long LastSeq, long PolicyVersion, int? JailUid, string Folder)
{
    public const string Columns = "sandbox_id, thread_key, state, fencing_generation, last_seq, policy_version, jail_uid, folder";

    public static SandboxRow Read(NpgsqlDataReader row) => new(
        row.GetString(0), row.GetString(1), row.GetString(2), row.GetInt64(3), row.GetInt64(4), row.GetInt64(5),
        row.IsDBNull(6) ? null : row.GetInt32(6), row.GetString(7));
}

/// <summary>The states of a row in <c>sandboxes</c>; the table's CHECK constraints say which members go with which.</summary>
internal static class SandboxStates
{
    /// <summary>Wanted for a thread; its keeper may or may not run yet.</summary>
    public const string Starting = "starting";

    /// <summary>It has had its thread's identity. A keeper that is gone now has died.</summary>
    public const string Claimed = "claimed";
    public const string Dead = "dead";
}
