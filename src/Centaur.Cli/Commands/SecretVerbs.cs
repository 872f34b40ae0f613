using System.CommandLine;
using Centaur.Cli.Api;
using Centaur.Cli.Output;
using Centaur.Cli.Secrets;
using Centaur.Cli.Stack;
using Centaur.Protocol.Broker;
using Centaur.Protocol.Policy;

namespace Centaur.Cli.Commands;

/// <summary><c>centaur secrets set | ls | rm</c>. Values go from the terminal into the broker's file, and nowhere else; or they stay at a source that the broker reads.</summary>
internal static class SecretVerbs
{
    public static Verb Build(CliContext context) =>
        new Verb("secrets", "Set, list and remove credentials that the agent uses and never sees.", "centaur secrets set OPENAI_API_KEY")
            .With(Set(context), List(context), Remove(context));

    static Verb Set(CliContext context)
    {
        var name = Name();
        var host = new Option<string[]>("--host") { Description = "A host that may receive it, for example api.example.com or *.example.com. May be repeated.", HelpName = "host" };
        var header = new Option<string[]>("--header") { Description = "A header that may carry it; Authorization where none is named. May be repeated.", HelpName = "name" };
        var source = new Option<string?>("--source")
        {
            Description = "Where the broker reads the value, instead of a file of its own: vault_kv:mount/path#key, 1password:op://vault/item/field, 1password_connect:op://…, kubernetes:key or env:VARIABLE.",
            HelpName = "type:reference",
        };
        var jsonKey = new Option<string?>("--json-key") { Description = "Takes this member of a value that is a JSON object.", HelpName = "name" };
        return new Verb(
            "set", "Store a secret's value, read from the terminal without echo or from standard input.",
            "centaur secrets set OPENAI_API_KEY", "pass show acme | centaur secrets set ACME_TOKEN --host api.acme.dev --header X-Acme-Key",
            $"centaur secrets set ACME_TOKEN --host api.acme.dev --source {VaultReference.Example}")
        {
            Remark = "A value is never an argument: arguments are visible to everybody on the machine. Well-known names (OPENAI_API_KEY, ANTHROPIC_API_KEY, …) need no --host, nor do those that only the proxy uses (egress.inject and its like, egress.databases in centaur.yaml). A value has one line, unless it is a key in PEM or a JSON object. With --source no value is read here, and none is stored.",
        }.With(name, host, header, source, jsonKey).Does(async (parsed, cancellationToken) =>
        {
            MustBeLocal(context);
            var secret = SecretFile.Valid(parsed.GetValue(name)!);
            var hosts = parsed.GetValue(host) ?? [];
            var headers = parsed.GetValue(header) ?? [];
            if (headers.Length > 0 && hosts.Length == 0)
                throw new CliError(ExitCode.Usage, "--header needs --host.", "A credential is bound to the hosts that may receive it.");

            if (hosts.Select(each => BindingForm.HostProblem(each.ToLowerInvariant())).Concat(headers.Select(BindingForm.HeaderProblem)).FirstOrDefault(each => each is not null) is { } problem)
                throw new CliError(ExitCode.Usage, $"{problem}.", "Nothing was stored.", "centaur secrets set --help");

            var from = Source(secret, parsed.GetValue(source), parsed.GetValue(jsonKey));
            var kept = from is { Type: SecretSourceTypes.File, Reference: null };
            var value = kept ? await SecretInput.Read(context.Terminal, secret, cancellationToken) : null;
            await LocalStack.EnsureUp(context, cancellationToken);
            using var api = ApiClient.Of(context);
            IReadOnlyList<SecretBindingShape>? bindings = hosts.Length == 0 ? null : [new SecretBindingShape(hosts, headers.Length == 0 ? ["Authorization"] : headers)];
            await api.Put(
                $"/admin/secrets/{Uri.EscapeDataString(secret)}", new SecretBody(new SecretSourceShape(from.Type, from.Reference, from.JsonKey), bindings),
                CliJson.Default.SecretBody, CliJson.Default.JsonElement, cancellationToken);
            // What the server refuses leaves the value of before where it was.
            if (value is not null)
                SecretFile.Write(context, secret, value);
            else
                SecretFile.Delete(context, secret);
            context.Terminal.Note(kept ? $"{secret} is set." : $"{secret} is read from {SourceForm.Write(from)}.");
            return ExitCode.Ok;
        });
    }

    static Verb List(CliContext context)
    {
        var json = Shared.Json();
        return new Verb("ls", "List secrets with their sources and bindings, never their values.", "centaur secrets ls").With(json).Does(async (parsed, cancellationToken) =>
        {
            using var api = ApiClient.Of(context);
            if (parsed.GetValue(json))
            {
                context.Terminal.Out.WriteLine((await api.Get("/admin/secrets", CliJson.Default.JsonElement, cancellationToken)).GetRawText());
                return ExitCode.Ok;
            }

            var answer = await api.Get("/admin/secrets", CliJson.Default.SecretsAnswer, cancellationToken);
            if (answer.Secrets.Count == 0)
            {
                context.Terminal.Note("No secret is set; centaur secrets set OPENAI_API_KEY sets one.");
                return ExitCode.Ok;
            }

            TextTable.Write(
                context.Terminal, ["name", "source", "hosts", "headers"],
                answer.Secrets.Select(secret => (string[])
                [
                    secret.Name, secret.Source is { } source ? SourceForm.Write(new SecretSource(source.Type, source.Reference, source.JsonKey)) : "",
                    string.Join(' ', secret.Bindings?.SelectMany(binding => binding.Hosts).Distinct() ?? []),
                    string.Join(' ', secret.Bindings?.SelectMany(binding => binding.Headers ?? []).Distinct() ?? []),
                ]));
            return ExitCode.Ok;
        });
    }

    static Verb Remove(CliContext context)
    {
        var name = Name();
        return new Verb("rm", "Forget a secret: its bindings and its value.", "centaur secrets rm ACME_TOKEN").With(name).Does(async (parsed, cancellationToken) =>
        {
            MustBeLocal(context);
            var secret = SecretFile.Valid(parsed.GetValue(name)!);
            using var api = ApiClient.Of(context);
            await api.Delete($"/admin/secrets/{Uri.EscapeDataString(secret)}", cancellationToken);
            SecretFile.Delete(context, secret);
            context.Terminal.Note($"{secret} is removed.");
            return ExitCode.Ok;
        });
    }

    static SecretSource Source(string secret, string? text, string? jsonKey)
    {
        var source = SourceForm.Read(text ?? SecretSourceTypes.File) with { JsonKey = jsonKey };
        if (source.Type == SecretSourceTypes.File && source.Reference == secret)
            source = source with { Reference = null };
        return SourceForm.Problem(source) is { } problem ? throw new CliError(ExitCode.Usage, $"{problem}.", "Nothing was stored.", "centaur secrets set --help") : source;
    }

    static Argument<string> Name() => new("name") { Description = "The secret's name, for example OPENAI_API_KEY." };

    static void MustBeLocal(CliContext context)
    {
        if (context.Variable("CENTAUR_API_URL") is not null)
        {
            throw new CliError(
                ExitCode.Usage, "Secrets are set on the machine whose broker holds them.", "CENTAUR_API_URL names another server.", "Run this there, or unset CENTAUR_API_URL.");
        }
    }
}
