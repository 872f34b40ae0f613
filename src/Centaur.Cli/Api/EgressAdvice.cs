using Centaur.Cli.Stack;

namespace Centaur.Cli.Api;

/// <summary>Where the running server finds that its allowed hosts are wider than threads need. Advice only: a server that does not answer at once is not waited for.</summary>
internal static class EgressAdvice
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    /// <returns>The warnings; null where no server of this home could be asked.</returns>
    public static async Task<IReadOnlyList<EgressWarningShape>?> Ask(CliContext context, CancellationToken cancellationToken)
    {
        if (new LocalStack(context).StateWhenUp() is null)
            return null;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        try
        {
            using var api = ApiClient.Of(context);
            return (await api.Get("/admin/egress/warnings", CliJson.Default.EgressWarningsAnswer, patience.Token)).Warnings;
        }
        catch (CliError)
        {
            return null;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }
}
