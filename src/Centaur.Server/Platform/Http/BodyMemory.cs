using System.Buffers;
using System.Collections.Concurrent;

namespace Centaur.Server.Platform.Http;

/// <summary>
/// The memory that bodies of requests under way may take together, for each listener. A crowd of clients whose requests wait (for a slow database, for a lock) is
/// answered 503 once its bodies fill it, instead of being kept waiting in memory without bound. Only what has arrived counts: a length that is merely declared takes nothing.
/// </summary>
public sealed class BodyMemory(ListenerOptions options)
{
    /// <summary>What a request costs besides its body, so that their number is bounded too.</summary>
    const int LeastBytes = 64 * 1024;
    const int PieceBytes = 16 * 1024;

    readonly ConcurrentDictionary<Listener, Account> accounts = new();

    /// <summary>Reads the request's body whole. Its memory counts until the request is answered.</summary>
    /// <exception cref="BodyMemoryException">There is no room for it now.</exception>
    public async Task<ReadOnlyMemory<byte>> Read(HttpContext http)
    {
        var share = new Share(accounts.GetOrAdd(http.Listener(), _ => new Account()), options.BodyMemoryBytes);
        http.Response.RegisterForDispose(share);
        share.Take(LeastBytes);
        using var body = new MemoryStream();
        var piece = ArrayPool<byte>.Shared.Rent(PieceBytes);
        try
        {
            int count;
            while ((count = await http.Request.Body.ReadAsync(piece, http.RequestAborted)) > 0)
            {
                if (body.Length + count > share.Bytes)
                    share.Take(count);
                body.Write(piece, 0, count);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
        }

        return body.GetBuffer().AsMemory(0, (int)body.Length);
    }

    sealed class Account
    {
        public long Taken;
    }

    sealed class Share(Account account, long most) : IDisposable
    {
        public long Bytes { get; private set; }

        public void Take(long bytes)
        {
            if (Interlocked.Add(ref account.Taken, bytes) > most)
            {
                Interlocked.Add(ref account.Taken, -bytes);
                throw new BodyMemoryException();
            }

            Bytes += bytes;
        }

        public void Dispose()
        {
            Interlocked.Add(ref account.Taken, -Bytes);
            Bytes = 0;
        }
    }
}

/// <summary>Bodies of other requests take all the memory that there is for them. It passes.</summary>
public sealed class BodyMemoryException() : Exception("The bodies of requests under way take all the memory that there is for them.");
