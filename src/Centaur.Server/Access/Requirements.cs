namespace Centaur.Server.Access;

/// <summary>The scope that a route needs; null is any valid key.</summary>
internal sealed record Requirement(string? Scope);

public static class RequirementConventions
{
    public static TBuilder Needs<TBuilder>(this TBuilder builder, string scope)
        where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new Requirement(scope));

    public static TBuilder NeedsAnyKey<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new Requirement(null));
}
