using Centaur.Proxy.Postgres.Backends;
using Centaur.Proxy.Postgres.Sql;
using Centaur.Proxy.Postgres.Wire;

namespace Centaur.Proxy.Postgres.Relay;

/// <summary>Carries an upstream's answers to the client. They stream; only errors and reported settings are looked at.</summary>
sealed class ServerRelay(RefusalMarker marker, SessionCounts counts)
{
    /// <summary>An error that quotes a marker is short; a longer one is passed on unseen.</summary>
    const int LongestSeen = 64 * 1024;

    /// <summary>True between two messages: there, and only there, a message of ours may still be sent.</summary>
    public bool IsBetweenMessages { get; private set; } = true;

    /// <summary>Ends when the upstream closes.</summary>
    public async Task Run(WireReader upstream, WireWriter client, CancellationToken cancellationToken)
    {
        try
        {
            while (await upstream.ReadHeader(cancellationToken) is { } header)
            {
                IsBetweenMessages = false;
                await Pass(header, upstream, client, cancellationToken);
                if (upstream.WouldWait)
                    await client.Flush(cancellationToken);
                IsBetweenMessages = true;
            }
        }
        finally
        {
            counts.BytesReceived = client.Written;
        }
    }

    async ValueTask Pass(WireHeader header, WireReader upstream, WireWriter client, CancellationToken cancellationToken)
    {
        if ((char)header.Type is not ('E' or 'S') || header.Length > LongestSeen)
        {
            await client.WriteHeader(header, cancellationToken);
            await upstream.CopyBody(header.Length, client, cancellationToken);
            return;
        }

        var body = await upstream.ReadBody(header.Length, cancellationToken);
        if ((char)header.Type == 'E' && marker.Replace(body) is { } ours)
        {
            await client.Write(ours, cancellationToken);
            return;
        }

        await client.WriteHeader(header, cancellationToken);
        await client.Write(body, cancellationToken);
        // No statement that passes can do this. Should one be found, the session ends here.
        if ((char)header.Type == 'S' && IsBlinding(body))
        {
            await client.Flush(cancellationToken);
            IsBetweenMessages = true;
            throw new PostgresFault(SqlStates.FeatureNotSupported, "The session's string syntax or encoding changed to one that cannot be judged.", "session_unsuitable");
        }
    }

    static bool IsBlinding(ReadOnlySpan<byte> body) => BackendMessages.Parameter(body) switch
    {
        ("standard_conforming_strings", var value) => value != "on",
        ("client_encoding", var value) => !SessionRules.IsReadable(value),
        _ => false,
    };
}
