using Centaur.Protocol.Policy;
using Centaur.Proxy.Policies;
using Centaur.Proxy.Transforms.Templates;

namespace Centaur.Proxy.Configuration.Transforms;

/// <summary>What the readers of transforms share: rules, header names, templates.</summary>
static class TransformRules
{
    /// <summary>Rules of what sends a credential: they must be there, and each names its host. <c>*</c> would send it to everybody.</summary>
    public static RuleModel[] Credential(YamlMap map)
    {
        var rules = Any(map);
        if (rules.Length == 0)
            map.Error("needs \"rules\": without them it is not said who may receive the credential");
        if (Array.Exists(rules, rule => Array.Exists(rule.Hosts, host => host == HostPattern.Everything)))
            map.Error("the host \"*\" would send the credential to everybody; name the hosts");
        return rules;
    }

    public static RuleModel[] Any(YamlMap map)
    {
        var wrong = new List<string>();
        var rules = map.Maps("rules").Select(rule => PolicyCompiler.Compile(AllowlistReader.ReadRule(rule, "is not supported: transforms are bound to names"), wrong)).ToArray();
        foreach (var problem in wrong)
            map.Error(problem);
        return rules;
    }

    /// <summary>A header that a request may carry beyond this hop.</summary>
    public static string Header(YamlMap map, string name)
    {
        if (name.StartsWith('/') || BindingForm.HeaderProblem(name) is not null)
            map.Error($"\"{name}\" is not the name of a header");
        else if (Forwarding.HeaderRules.StaysHere(name, default))
            map.Error($"the header {name} ends at this proxy and cannot be set");
        return name;
    }

    /// <param name="map">Where the template stands.</param>
    /// <param name="key">Its key.</param>
    /// <param name="text">The template.</param>
    /// <param name="fields">The fields that it may read.</param>
    public static TextTemplate Template(YamlMap map, string key, string text, IReadOnlyCollection<string> fields)
    {
        if (!TextTemplate.TryParse(text, fields, out var template, out var problem))
            map.Error($"\"{key}\", {problem}");
        return template;
    }

    public static Uri Endpoint(YamlMap map, string key)
    {
        var text = map.Required(key);
        if (Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme == Uri.UriSchemeHttps && address.UserInfo.Length == 0 && address.Fragment.Length == 0)
            return address;
        if (text.Length > 0)
            map.Error($"\"{key}\" must be an https address: credentials are sent there");
        return new Uri("https://invalid.invalid/");
    }
}
