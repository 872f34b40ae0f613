using System.Text.RegularExpressions;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Centaur.Server.Platform.Http;

/// <summary>What the OpenAPI document says beyond what the routes' types tell: its title, the fields that a body may leave out, and texts that stand by themselves.</summary>
internal static partial class ApiDocument
{
    const string Title = "Centaur";
    const string Json = "application/json";
    const string Introduction = "A shared agent for a team: give a thread a message, ask for an execution, follow its events. How it goes together: docs/api.md of the repository.";

    public static void Describe(OpenApiOptions options) => options.AddOperationTransformer(async (operation, context, cancellationToken) =>
    {
        NameOtherListeners(operation, context.Description.ActionDescriptor.EndpointMetadata.OfType<ServedOn>().LastOrDefault());
        if (operation.RequestBody?.Content?.ContainsKey(Json) == true)
            DeclareUnreadable(operation, await ApiConventions.Reference<DetailBody>(context, cancellationToken));
    }).AddDocumentTransformer((document, context, _) =>
    {
        document.Info.Title = Title;
        document.Info.Description = Introduction;
        foreach (var (path, item) in document.Paths)
        {
            foreach (var operation in item.Operations?.Values ?? Enumerable.Empty<OpenApiOperation>())
            {
                operation.Description = WithoutCitations(operation.Description);
                NamePathParameters(operation, path);
                NeedOnlyWhatHasNoDefault(operation);
            }
        }

        foreach (var schema in document.Components?.Schemas?.Values ?? [])
            Clean(schema);
        return Task.CompletedTask;
    });

    /// <summary>Every body of JSON may be none.</summary>
    static void DeclareUnreadable(OpenApiOperation operation, IOpenApiSchema body) =>
        (operation.Responses ??= []).TryAdd(
            ApiConventions.Key(StatusCodes.Status400BadRequest),
            new OpenApiResponse { Description = "Bad Request", Content = new Dictionary<string, OpenApiMediaType> { [Json] = new() { Schema = body } } });

    /// <summary>The document is read at the listener for clients, which answers 404 for what another alone serves.</summary>
    static void NameOtherListeners(OpenApiOperation operation, ServedOn? served)
    {
        if (served is { Listeners: Listener.Public })
            operation.Description = $"{operation.Description} Served by the listener for webhooks alone (listen.public); the one for clients answers 404.".Trim();
    }

    /// <summary>Handlers read a thread's key from the raw target, which the document's maker does not see.</summary>
    static void NamePathParameters(OpenApiOperation operation, string path)
    {
        operation.Parameters ??= [];
        foreach (var name in PathParameter().Matches(path).Select(match => match.Groups["name"].Value))
        {
            if (operation.Parameters.All(parameter => parameter.Name != name))
                operation.Parameters.Insert(0, new OpenApiParameter { Name = name, In = ParameterLocation.Path, Required = true, Schema = new OpenApiSchema { Type = JsonSchemaType.String } });
        }
    }

    /// <summary>A request may leave out whatever may be null; an answer always writes it.</summary>
    static void NeedOnlyWhatHasNoDefault(OpenApiOperation operation)
    {
        foreach (var body in operation.RequestBody?.Content?.Values.Select(content => content.Schema) ?? [])
        {
            var schema = body is OpenApiSchemaReference reference ? reference.RecursiveTarget : body as OpenApiSchema;
            foreach (var (name, property) in schema?.Properties ?? new Dictionary<string, IOpenApiSchema>())
            {
                if (MayBeNull(property))
                    schema!.Required?.Remove(name);
            }
        }
    }

    static bool MayBeNull(IOpenApiSchema schema) =>
        schema.Type?.HasFlag(JsonSchemaType.Null) == true || schema.OneOf?.Any(one => one.Type == JsonSchemaType.Null) == true;

    static void Clean(IOpenApiSchema schema)
    {
        schema.Description = WithoutCitations(schema.Description);
        foreach (var property in schema.Properties?.Values ?? Enumerable.Empty<IOpenApiSchema>())
            property.Description = WithoutCitations(property.Description);
    }

    /// <summary>Comments cite what this code was built from; readers of the document do not have it.</summary>
    static string? WithoutCitations(string? text) => text is null ? null : Citation().Replace(text, "");

    [GeneratedRegex(@" ?\((wire )?(contract|design),? §[^)]*\)", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex Citation();

    [GeneratedRegex(@"\{(?<name>[a-z_]+)\}", RegexOptions.NonBacktracking)]
    private static partial Regex PathParameter();
}
