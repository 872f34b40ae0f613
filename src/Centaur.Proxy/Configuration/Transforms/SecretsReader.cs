using Centaur.Protocol.Policy;
using Centaur.Protocol.Policy.Transforms;

namespace Centaur.Proxy.Configuration.Transforms;

/// <summary>Reads <c>secrets</c>: each either replaces its placeholder or is injected.</summary>
sealed class SecretsReader(TransformReader transforms)
{
    public void Read(YamlMap config)
    {
        foreach (var secret in config.Maps("secrets"))
        {
            if (secret.Map("inject") is { } inject)
                ReadInject(secret, inject);
            else
                ReadReplace(secret);
            secret.Done();
        }
    }

    void ReadInject(YamlMap secret, YamlMap inject)
    {
        secret.Refuse("replace", "cannot stand beside \"inject\"; write two entries");
        if (inject.Flag("require"))
            inject.Notice("\"require\" has no effect: a value that cannot be had always refuses the request here");
        transforms.Add(inject, new InjectConfig
        {
            Name = secret.Where,
            Source = transforms.UseSource(secret, "source"),
            Header = inject.Text("header"),
            QueryParam = inject.Text("query_param"),
            Formatter = inject.Text("formatter") ?? "{{ .Value }}",
            Rules = TransformRules.Read(secret),
        });
        inject.Done();
    }

    void ReadReplace(YamlMap secret)
    {
        var binding = new SecretBinding([]);
        var placeholder = "";
        var name = transforms.AddSource(secret, "source");
        if (secret.Map("replace") is { } replace)
        {
            placeholder = replace.Required("proxy_value");
            var headers = replace.Texts("match_headers");
            binding = binding with
            {
                Headers = headers.Count == 0 ? ["*"] : headers,
                InBody = replace.Flag("match_body"),
                InPath = replace.Flag("match_path"),
                Query = replace.Flag("match_query") ? ["*"] : [],
            };
            if (replace.Flag("require"))
                replace.Notice("\"require\": a value that cannot be had always refuses the request here; one without the placeholder is not refused");
            replace.Done();
        }
        else
        {
            secret.Error("needs \"replace\" or \"inject\"");
        }

        var bindings = new List<SecretBinding>();
        foreach (var rule in secret.Maps("rules"))
        {
            bindings.Add(binding with { Hosts = [rule.Required("host")], Methods = rule.Texts("methods"), Paths = rule.Texts("paths") });
            rule.Refuse("cidr", "is not supported: a secret is bound to names");
            rule.Done();
        }

        if (bindings.Count == 0)
            secret.Notice("without \"rules\" this secret is bound nowhere");
        transforms.Grants.Add(new SecretGrant(name, placeholder, bindings));
    }
}
