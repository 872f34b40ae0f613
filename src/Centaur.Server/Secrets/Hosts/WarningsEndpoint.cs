using Centaur.Server.Access;
using Centaur.Server.Platform.Http;

namespace Centaur.Server.Secrets.Hosts;

/// <summary><c>GET /admin/egress/warnings</c>: where what is allowed is wider than it need be, with the secrets as they are bound now.</summary>
internal static class WarningsEndpoint
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet("/admin/egress/warnings", Handle)
            .Needs(Scopes.Admin).WithTags("egress").WithSummary("Say where the allowed hosts are wider than threads need").Produces<EgressWarningList>();

    static async Task<IResult> Handle(SandboxGrants grants, EgressOptions egress, CancellationToken cancellationToken) =>
        TypedResults.Json(new EgressWarningList(EgressWarnings.Of(egress, await grants.GrantedToAll(cancellationToken))), ApiJson.Options);
}

/// <param name="Warnings">In the order of the configuration; empty where nothing is wide.</param>
public sealed record EgressWarningList(IReadOnlyList<EgressWarning> Warnings);
