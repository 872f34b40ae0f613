namespace Centaur.Proxy.Configuration;

/// <summary>
/// What iron-proxy has and this proxy has not. Passed over, with a notice, is only what lets nothing through when it is missing; everything else stops the start.
/// </summary>
static class ForeignKeys
{
    const string OnlyRecords = "it changes no request, and the audit here has its own fields";

    static readonly Dictionary<string, string> PassedOver = new(StringComparer.Ordinal)
    {
        ["annotate"] = OnlyRecords,
        ["body_capture"] = OnlyRecords,
    };

    static readonly Dictionary<string, string> Refused = new(StringComparer.Ordinal)
    {
        ["aws_auth"] = "requests would leave with the signature of whoever made them",
        ["gcp_id_token"] = "requests would leave without their token; gcp_auth gives access tokens",
        ["grpc"] = "what the policy service would refuse would pass",
        ["judge"] = "what the judge would deny would pass",
        ["request_policy"] = "its endpoints would be open in full; rules of the allowlist name methods and paths",
        ["json_rpc"] = "methods that it forbids would pass",
    };

    public static void ReadSections(YamlMap root)
    {
        root.NotNeeded("dns", "names are not answered here. Clients are told of this proxy, or led to http_listen and https_listen by a resolver of yours; upstreams are found by the system's");
        root.NotNeeded("control_plane", "there is none: the policy is this file");
        root.Refuse("mcp", "is not supported: tools that it forbids would pass");
        root.Refuse("mcp_gateway", "is not supported: its requests would go elsewhere, without their credential");
    }

    /// <summary>True where the transform is one of iron-proxy's, and has been spoken of.</summary>
    public static bool ReadTransform(YamlMap transform, string name)
    {
        if (Refused.TryGetValue(name, out var harm))
            transform.Error($"{name} is not supported: {harm}");
        else if (PassedOver.TryGetValue(name, out var reason))
            transform.Notice($"{name} has no effect here: {reason}");
        else
            return false;
        return true;
    }
}
