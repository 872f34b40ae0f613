using System.Globalization;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Centaur.Server.Platform.Http;

/// <summary>What a route says of itself in the OpenAPI document where the types of its handler do not tell.</summary>
internal static class ApiConventions
{
    /// <summary>The parameter of the query may not be left out; without it, or with a wrong one, the answer is 422.</summary>
    public static RouteHandlerBuilder NeedsQuery(this RouteHandlerBuilder route, string name) =>
        route.Produces<InvalidBody>(StatusCodes.Status422UnprocessableEntity).AddOpenApiOperationTransformer((operation, _, _) =>
        {
            operation.Parameters!.OfType<OpenApiParameter>().Single(parameter => parameter.Name == name).Required = true;
            return Task.CompletedTask;
        });

    /// <summary>The status comes with either of two bodies.</summary>
    public static RouteHandlerBuilder ProducesEither<TOne, TOther>(this RouteHandlerBuilder route, int status = StatusCodes.Status200OK) =>
        route.Produces<TOne>(status).AddOpenApiOperationTransformer(async (operation, context, cancellationToken) =>
        {
            var schema = new OpenApiSchema { OneOf = [await Reference<TOne>(context, cancellationToken), await Reference<TOther>(context, cancellationToken)] };
            operation.Responses![Key(status)].Content!["application/json"].Schema = schema;
        });

    public static string Key(int status) => status.ToString(CultureInfo.InvariantCulture);

    /// <summary>The type's schema among the document's components, where it is added if no route has brought it yet.</summary>
    public static async Task<IOpenApiSchema> Reference<T>(OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        var name = typeof(T).Name;
        if (context.Document!.Components?.Schemas?.ContainsKey(name) != true)
            context.Document.AddComponent(name, await context.GetOrCreateSchemaAsync(typeof(T), null, cancellationToken));
        return new OpenApiSchemaReference(name, context.Document);
    }
}
