using Centaur.Proxy.Postgres.Backends;
using Centaur.Proxy.Postgres.Sql;
using Centaur.Proxy.Postgres.Wire;

namespace Centaur.Proxy.Postgres.Relay;

/// <summary>Both directions of a session at once, until one ends; then the other is ended too, and both are over when <see cref="Run"/> returns.</summary>
sealed class SessionRelay(SessionCounts counts, Action<string, RefusalReason> refused)
{
    /// <summary>How long a server has to say what it still has to say when its client has left.</summary>
    static readonly TimeSpan LongestFarewell = TimeSpan.FromSeconds(5);

    public async Task Run(WireReader reader, WireWriter writer, Backend backend, SessionRules rules, CancellationToken cancellationToken)
    {
        var marker = new RefusalMarker();
        var server = new ServerRelay(marker, counts);
        using var upEnds = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var downEnds = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var up = new ClientRelay(new StatementJudge(rules), marker, counts, refused).Run(reader, backend.Writer, upEnds.Token);
        var down = server.Run(backend.Reader, writer, downEnds.Token);
        var first = await Task.WhenAny(up, down);
        await upEnds.CancelAsync();
        if (first == up && up.IsCompletedSuccessfully)
        {
            downEnds.CancelAfter(LongestFarewell);
            await BackendConnector.Send(backend, new WireMessage('X').Build(), downEnds.Token);
        }
        else
        {
            await downEnds.CancelAsync();
        }

        await Task.WhenAll(Ended(up), Ended(down));
        // A message of ours inside one of the server's would be read as part of it.
        if (first == up && !up.IsCompletedSuccessfully && !server.IsBetweenMessages)
            throw new IOException("The client broke the protocol.");
        await first;
    }

    static async Task Ended(Task task) => await task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
}
