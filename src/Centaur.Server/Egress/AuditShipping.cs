using System.Buffers;
using System.Collections.Concurrent;
using Centaur.Server.Platform.Telemetry;
using Centaur.Server.Sandboxes;
using Centaur.Server.Sandboxes.Local;
using Microsoft.Win32.SafeHandles;

namespace Centaur.Server.Egress;

/// <summary>
/// Brings the audit files of this host to Postgres.
/// <code>
///   file ─▶ 1 read behind the anchor ─▶ 2 check the chain ─▶ 3 store rows, advance the anchor ─▶ again, until nothing whole is left
/// </code>
/// 1. The anchor is Postgres' own: how many bytes, lines and which hash were stored. 2. Lines are taken as long as each follows the one before. 3. Both or neither, by compare-and-set:
/// killed anywhere, or done twice, no line is lost and none is stored again. What does not follow is never stored: an operator is alerted, and the file stays.
/// </summary>
internal sealed class AuditShipping(EgressStore store, SandboxAudits audits, ISandboxBackend backend, Alerts alerts, ILogger<AuditShipping> log)
{
    const int PieceBytes = 256 * 1024;

    /// <summary>The length of each file up to which there is nothing to do.</summary>
    readonly ConcurrentDictionary<string, long> done = new(StringComparer.Ordinal);

    /// <summary>Ships what is new in every file.</summary>
    public async Task Run(CancellationToken cancellationToken)
    {
        var found = audits.Found();
        foreach (var gone in done.Keys.Except(found.Select(f => f.SandboxId), StringComparer.Ordinal))
            done.TryRemove(gone, out _);
        foreach (var (sandboxId, bytes) in found)
        {
            if (done.GetValueOrDefault(sandboxId) == bytes)
                continue;
            try
            {
                await Ship(sandboxId, cancellationToken);
                done[sandboxId] = bytes;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                log.NotRead(sandboxId, e.Message);
            }
        }
    }

    /// <summary>Removes the files of sandboxes that are gone and forgotten, once all that is whole in them is stored.</summary>
    public async Task RemoveStored(CancellationToken cancellationToken)
    {
        var living = backend.Found().ToHashSet(StringComparer.Ordinal);
        var gone = audits.Found().Select(file => file.SandboxId).Where(id => !living.Contains(id)).ToList();
        if (gone.Count == 0)
            return;
        foreach (var sandboxId in await store.Forgotten(gone, cancellationToken))
        {
            try
            {
                if (!await Ship(sandboxId, cancellationToken))
                    continue;
                await store.Close(sandboxId, cancellationToken);
                audits.Remove(sandboxId);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                log.NotRead(sandboxId, e.Message);
            }
        }
    }

    /// <returns>False where the chain does not hold.</returns>
    async Task<bool> Ship(string sandboxId, CancellationToken cancellationToken)
    {
        using var file = audits.Open(sandboxId);
        var buffer = ArrayPool<byte>.Shared.Rent(PieceBytes);
        try
        {
            var from = await store.Anchor(sandboxId, cancellationToken);
            while (true)
            {
                // 1. and 2.
                var chunk = Read(file, from, buffer);
                // 3.
                if (chunk.Lines.Count > 0 && !await store.Ship(from, chunk, cancellationToken))
                {
                    from = await store.Anchor(sandboxId, cancellationToken);
                    continue;
                }
                if (chunk.Break is { } broken)
                {
                    await Tell(sandboxId, broken, cancellationToken);
                    return false;
                }
                if (chunk.Lines.Count == 0)
                    return true;
                from = chunk.End;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    static AuditChunk Read(SafeFileHandle file, AuditAnchor from, byte[] buffer) =>
        RandomAccess.GetLength(file) < from.Bytes
            ? new AuditChunk([], from, new ChainBreak(from.Lines, "is stored and no longer in the file: the file was cut"))
            : AuditChunk.Read(from, buffer.AsSpan(0, RandomAccess.Read(file, buffer.AsSpan(0, PieceBytes), from.Bytes)));

    async Task Tell(string sandboxId, ChainBreak broken, CancellationToken cancellationToken)
    {
        if (await store.Break(sandboxId, broken, cancellationToken))
            alerts.Raise(Alerts.EgressChainBroken, $"line {broken.Line} of the audit of sandbox {sandboxId} {broken.Cause}. Nothing is stored from there on; the file {audits.PathOf(sandboxId)} is kept");
    }
}
