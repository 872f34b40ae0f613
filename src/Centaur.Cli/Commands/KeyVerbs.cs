using System.CommandLine;
using System.Text.Json;
using Centaur.Cli.Api;
using Centaur.Cli.Output;
using Centaur.Protocol.Host;

namespace Centaur.Cli.Commands;

/// <summary><c>centaur keys create | ls | revoke</c>: API keys (contract §1.9, §1.13).</summary>
internal static class KeyVerbs
{
    public static Verb Build(CliContext context) =>
        new Verb("keys", "Make, list and revoke API keys.", "centaur keys create ci --scope agent").With(Create(context), List(context), Revoke(context));

    static Verb Create(CliContext context)
    {
        var name = new Argument<string>("name") { Description = "What the key is for." }.NotEmpty();
        var scope = new Option<string[]>("--scope")
        {
            Description = $"What it may do, one of those below: {string.Join(", ", KeyScopes.All.Select(each => each.Name))}. May be repeated.", Required = true, HelpName = "scope",
        };
        var json = Shared.Json();
        return new Verb("create", "Make an API key; it is printed once and cannot be read again.", "centaur keys create ci --scope agent --scope tools:*")
        {
            Remark = $"Scopes:\n{string.Join('\n', KeyScopes.All.Select(each => $"  {each.Name,-18}{each.Meaning}"))}",
        }
            .With(name, scope, json)
            .Does(async (parsed, cancellationToken) =>
            {
                using var api = ApiClient.Of(context);
                var body = new KeyBody(parsed.GetValue(name)!, parsed.GetValue(scope)!, context.Variable("USER") ?? "cli");
                var made = await api.Post("/admin/api-keys", body, CliJson.Default.KeyBody, CliJson.Default.KeyCreated, cancellationToken);
                if (parsed.GetValue(json))
                {
                    context.Terminal.Out.WriteLine(JsonSerializer.Serialize(made, CliJson.Default.KeyCreated));
                    return ExitCode.Ok;
                }

                context.Terminal.Note($"The key {made.Name} ({made.Id}) with {string.Join(", ", made.Scopes)}; keep it, it is not shown again:");
                context.Terminal.Answer(made.Key);
                return ExitCode.Ok;
            });
    }

    static Verb List(CliContext context)
    {
        var json = Shared.Json();
        return new Verb("ls", "List API keys, never the keys themselves.", "centaur keys ls").With(json).Does(async (parsed, cancellationToken) =>
        {
            using var api = ApiClient.Of(context);
            if (parsed.GetValue(json))
            {
                context.Terminal.Out.WriteLine((await api.Get("/admin/api-keys", CliJson.Default.JsonElement, cancellationToken)).GetRawText());
                return ExitCode.Ok;
            }

            var answer = await api.Get("/admin/api-keys", CliJson.Default.KeysAnswer, cancellationToken);
            TextTable.Write(
                context.Terminal, ["id", "name", "begins with", "scopes", "made by", "state"],
                answer.Keys.Select(key => (string[])[key.Id, key.Name, key.KeyPrefix, string.Join(' ', key.Scopes), key.CreatedBy ?? "", key.Active ? "active" : "revoked"]));
            return ExitCode.Ok;
        });
    }

    static Verb Revoke(CliContext context)
    {
        var id = new Argument<string>("id") { Description = "The key's id, from `keys ls`." }.NotEmpty();
        return new Verb("revoke", "Revoke an API key.", "centaur keys revoke 0192f5c4-…").With(id).Does(async (parsed, cancellationToken) =>
        {
            using var api = ApiClient.Of(context);
            await api.Delete($"/admin/api-keys/{Uri.EscapeDataString(parsed.GetValue(id)!)}", cancellationToken);
            context.Terminal.Note("Revoked. It is refused everywhere within 30 seconds.");
            return ExitCode.Ok;
        });
    }
}
