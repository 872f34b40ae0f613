using System.Text.Json;
using Centaur.Protocol.Broker;
using Centaur.Protocol.Policy;
using Centaur.Server.Access;
using Centaur.Server.Platform.Http;

namespace Centaur.Server.Secrets;

/// <summary>Names, sources and bindings, for operators. A value that is sent here is refused: it would have left its owner's hands for nothing.</summary>
internal static class SecretEndpoints
{
    /// <summary>What this server itself lives on can never be granted to an agent (design §5).</summary>
    static readonly string[] ServersOwn =
    [
        "DATABASE_URL", "SANDBOX_SIGNING_KEY", "API_SECRET_KEY", "SLACKBOT_API_KEY", "LOCAL_DEV_API_KEY", "MONITORING_OPERATOR_API_KEY", "SLACK_SIGNING_SECRET",
    ];

    public static void Map(IEndpointRouteBuilder routes)
    {
        var secrets = routes.MapGroup("/admin/secrets").WithTags("secrets").Needs(Scopes.Admin);
        secrets.MapGet("", List).WithSummary("List secrets, without values").Produces<SecretList>();
        secrets.MapPut("/{name}", Put).WithSummary("Name a secret, its source and where it may go").Accepts<PutSecret>("application/json").Produces<SecretEntry>().Produces<InvalidBody>(422);
        secrets.MapDelete("/{name}", Delete).WithSummary("Forget a secret's name and bindings").Produces<DeletedSecret>().Produces<DetailBody>(404);
    }

    static async Task<IResult> List(SecretStore store, CancellationToken cancellationToken) =>
        TypedResults.Json(new SecretList(await store.All(cancellationToken)), ApiJson.Options);

    static async Task<IResult> Put(string name, HttpContext http, SecretStore store, EgressOptions egress, CancellationToken cancellationToken)
    {
        var read = await JsonBody.Read(http, mayBeEmpty: true);
        if (read.Failure is { } unreadable)
            return unreadable;
        var secret = Parse(name, read.Value, egress.Unseen);
        if (secret.Failure is { } refused)
            return refused;
        if (secret.Value.Bindings.SelectMany(binding => binding.Hosts).FirstOrDefault(egress.PassesThrough) is { } unread)
            return ApiFailure.Invalid("bindings", $"{unread} is in egress.passthrough and never looked into, so that no secret is sent there: take it out there first");
        return TypedResults.Json(await store.Put(secret.Value, cancellationToken), ApiJson.Options);
    }

    static async Task<IResult> Delete(string name, SecretStore store, CancellationToken cancellationToken) =>
        await store.Delete(name, cancellationToken)
            ? TypedResults.Json(new DeletedSecret("deleted", name), ApiJson.Options)
            : ApiFailure.Detail(StatusCodes.Status404NotFound, "secret not found");

    static Outcome<SecretModel> Parse(string name, JsonBody body, IReadOnlyCollection<string> unseen)
    {
        if (!SecretModel.IsName(name))
            return ApiFailure.Invalid("name", "A secret's name is a letter or underscore, then up to 127 letters, digits and underscores");
        if (ServersOwn.Contains(name, StringComparer.OrdinalIgnoreCase))
            return ApiFailure.Invalid("name", $"{name} is one of the server's own secrets, which can never be granted");
        if (SourceVariables.Tokens.Contains(name))
            return ApiFailure.Invalid("name", $"{name} is what the broker itself logs in with, and can never be granted");
        if (body.Root.TryGetProperty("value", out _))
            return ApiFailure.Invalid("value", "Values never pass through the server: use `centaur secrets set`, which hands them to the broker. Consider this one as seen, and change it");

        var source = new SecretSource(SecretSourceTypes.File);
        if (body.OptionalObject("source") is { } given)
        {
            var inner = JsonBody.Of(given);
            source = new SecretSource(inner.Text("type", 40), inner.OptionalText("reference", 1024), inner.OptionalText("json_key", 256));
            if (inner.Invalid is { } invalid)
                return invalid;
            if (SourceForm.Problem(source) is { } wrong)
                return ApiFailure.Invalid("source", wrong);
            if (source.Type == SecretSourceTypes.Environment && source.Reference is null)
                source = source with { Reference = name };
        }

        var bindings = new List<SecretBinding>();
        if (body.OptionalArray("bindings") is { } list)
        {
            foreach (var item in list.EnumerateArray())
            {
                if (Binding(item) is var binding && binding.Failure is { } unbound)
                    return unbound;
                bindings.Add(binding.Value);
            }
        }

        if (body.Invalid is { } problem)
            return problem;
        if (bindings.Count > 0)
            return new SecretModel(name, source, bindings);
        if (BuiltInBindings.For(name) is { } builtIn)
            return new SecretModel(name, source, builtIn);
        if (unseen.Contains(name))
            return new SecretModel(name, source, []);
        return ApiFailure.Invalid(
            "bindings", $"Say where {name} may go: bindings with hosts and headers. Only {string.Join(", ", BuiltInBindings.Names)} are known without, and what only the proxy uses: egress.inject and its like, and egress.databases");
    }

    static Outcome<SecretBinding> Binding(JsonElement item)
    {
        if (item.ValueKind != JsonValueKind.Object)
            return ApiFailure.Invalid("bindings", "each binding must be an object");
        var body = JsonBody.Of(item);
        var binding = new SecretBinding(body.Texts("hosts").Select(h => h.ToLowerInvariant()).ToList())
        {
            Methods = body.Texts("methods").Select(m => m.ToUpperInvariant()).ToList(),
            Paths = body.Texts("paths"),
            Headers = body.Texts("headers"),
            Query = body.Texts("query"),
            InPath = body.OptionalFlag("in_path") ?? false,
            InBody = body.OptionalFlag("in_body") ?? false,
        };
        if (body.Invalid is { } invalid)
            return invalid;
        if (binding.Hosts.Count == 0 || binding.Hosts.Contains("*"))
            return ApiFailure.Invalid("bindings", "each binding must name its hosts; a lone * would send the secret anywhere");
        if (binding.Hosts.Select(BindingForm.HostProblem).Concat(binding.Headers.Select(BindingForm.HeaderProblem)).FirstOrDefault(p => p is not null) is { } problem)
            return ApiFailure.Invalid("bindings", problem);
        if (binding is { Headers.Count: 0, Query.Count: 0, InPath: false, InBody: false })
            return ApiFailure.Invalid("bindings", "each binding must name a place: headers, query, in_path or in_body");
        return binding;
    }
}

public sealed record PutSecret(SecretSource? Source, IReadOnlyList<SecretBinding>? Bindings);

public sealed record SecretList(IReadOnlyList<SecretEntry> Secrets);

public sealed record DeletedSecret(string Status, string Name);
