using System.Globalization;
using Centaur.Server.Platform.Http;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Centaur.Server.Access;

/// <summary>What the OpenAPI document says of keys: where one is sent, which routes want none, and the scope that each of the others asks for.</summary>
internal static class KeyDocument
{
    const string Header = "api_key";
    const string Bearer = "bearer";

    public static void Describe(OpenApiOptions options)
    {
        options.AddDocumentTransformer((document, _, _) =>
        {
            document.Components ??= new OpenApiComponents();
            document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>
            {
                [Header] = new OpenApiSecurityScheme { Type = SecuritySchemeType.ApiKey, In = ParameterLocation.Header, Name = "X-Api-Key", Description = "A key of `centaur keys create`." },
                [Bearer] = new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "bearer", Description = "The same key as `Authorization: Bearer …`." },
            };
            return Task.CompletedTask;
        });
        options.AddOperationTransformer(async (operation, context, cancellationToken) =>
        {
            var metadata = context.Description.ActionDescriptor.EndpointMetadata;
            if (metadata.OfType<OpenRoute>().Any())
                return;
            var scope = metadata.OfType<Requirement>().LastOrDefault() is { } requirement ? requirement.Scope : Scopes.Admin;
            operation.Description = $"{operation.Description} {(scope is null ? "Any key." : $"Scope: {scope}.")}".TrimStart();
            operation.Security = [Alternative(Header), Alternative(Bearer)];
            var body = await context.GetOrCreateSchemaAsync(typeof(DetailBody), null, cancellationToken);
            Refuse(StatusCodes.Status401Unauthorized, "The key is missing, unknown or revoked.");
            Refuse(StatusCodes.Status403Forbidden, "The key lacks the scope, or a sandbox asks for a thread that is not its own.");

            void Refuse(int status, string why) =>
                (operation.Responses ??= []).TryAdd(
                    status.ToString(CultureInfo.InvariantCulture),
                    new OpenApiResponse { Description = why, Content = new Dictionary<string, OpenApiMediaType> { ["application/json"] = new() { Schema = body } } });

            OpenApiSecurityRequirement Alternative(string scheme) => new() { [new OpenApiSecuritySchemeReference(scheme, context.Document)] = [] };
        });
    }
}
