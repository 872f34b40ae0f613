using Centaur.Server.Access;
using Centaur.Server.Platform.Http;

namespace Centaur.Server.Egress;

/// <summary><c>GET /admin/egress/verify</c>: recomputes the chains of what is stored, of one sandbox or of all.</summary>
internal static class VerifyEndpoint
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet("/admin/egress/verify", Handle)
            .Needs(Scopes.Admin).WithTags("egress").WithSummary("Recompute the hash chains of the stored egress records, and name what does not hold")
            .WithDescription("Of one sandbox with sandbox_id, else of all. The first fault of each sandbox is named: a row that was altered, dropped, added or moved.")
            .Produces<VerifyResponse>().Produces<DetailBody>(404).Produces<DetailBody>(429);

    static async Task<IResult> Handle(string? sandbox_id, ChainStore chains, CancellationToken cancellationToken)
    {
        if (!chains.TryEnter())
            return ApiFailure.Busy("A verification runs already. Try again when it has ended.");
        try
        {
            IReadOnlyList<string> wanted = sandbox_id is { } one ? [one] : await chains.Sandboxes(cancellationToken);
            var (rows, faults) = (0L, new List<EgressFault>());
            foreach (var sandboxId in wanted)
            {
                if (await chains.Walk(sandboxId, cancellationToken) is not { } found)
                {
                    if (sandbox_id is null)
                        continue;
                    return ApiFailure.Detail(StatusCodes.Status404NotFound, "no records of this sandbox");
                }
                rows += found.Rows;
                if (found.Fault is { } fault)
                    faults.Add(fault);
            }

            return TypedResults.Json(new VerifyResponse(faults.Count == 0, wanted.Count, rows, faults), ApiJson.Options);
        }
        finally
        {
            chains.Leave();
        }
    }
}

/// <param name="Holds">Whether no fault was found.</param>
/// <param name="Sandboxes">How many chains were read.</param>
/// <param name="Records">How many rows were read.</param>
/// <param name="Faults">At most one for each sandbox: what lies behind the first cannot be judged.</param>
public sealed record VerifyResponse(bool Holds, int Sandboxes, long Records, IReadOnlyList<EgressFault> Faults);
