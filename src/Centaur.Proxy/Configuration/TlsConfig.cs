namespace Centaur.Proxy.Configuration;

/// <summary>What the user wrote under <c>tls</c>.</summary>
/// <param name="SniOnly">TLS is relayed by the name that its client asks for, and never looked into.</param>
/// <param name="CertificateFile">The authority that signs leaves; empty where there are none.</param>
/// <param name="KeyFile">Its key.</param>
/// <param name="LeafLifetime">How long a leaf is good.</param>
/// <param name="Leaves">How many leaves are kept.</param>
sealed record TlsConfig(bool SniOnly, string CertificateFile, string KeyFile, TimeSpan LeafLifetime, int Leaves)
{
    const int DefaultHours = 72;
    const int LongestHours = 397 * 24;
    const int DefaultLeaves = 1000;

    public static TlsConfig Read(YamlMap root, string folder)
    {
        var tls = root.Map("tls");
        var mode = tls is null ? "mitm" : tls.OneOf("mode", ["mitm", "sni-only"], "mitm");
        if (tls is null)
        {
            root.Error("\"tls\" with \"ca_cert\" and \"ca_key\" is needed, or with \"mode: sni-only\"");
            return new TlsConfig(false, "", "", TimeSpan.Zero, DefaultLeaves);
        }

        var sniOnly = mode == "sni-only";
        var (certificate, key) = sniOnly ? ("", "") : (Path.Combine(folder, tls.Required("ca_cert")), Path.Combine(folder, tls.Required("ca_key")));
        var leaves = Within(tls, "cert_cache_size", DefaultLeaves, 1, 100_000);
        var hours = Within(tls, "leaf_cert_expiry_hours", DefaultHours, 1, LongestHours);
        if (sniOnly)
        {
            foreach (var unused in new[] { "ca_cert", "ca_key", "cert_cache_size", "leaf_cert_expiry_hours" })
                tls.NotNeeded(unused, "with tls.mode sni-only nothing is signed");
        }

        tls.Done();
        return new TlsConfig(sniOnly, certificate, key, TimeSpan.FromHours(hours), leaves);
    }

    static int Within(YamlMap map, string key, int otherwise, int least, int most)
    {
        var number = map.Number(key) ?? otherwise;
        if (number >= least && number <= most)
            return number;
        map.Error($"{key} must lie between {least} and {most}");
        return otherwise;
    }
}
