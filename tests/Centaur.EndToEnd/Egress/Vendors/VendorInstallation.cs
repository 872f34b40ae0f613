using Microsoft.AspNetCore.Http;

namespace Centaur.EndToEnd.Egress.Vendors;

/// <summary>An installation whose sandboxes reach vendors on loopback. Only the broker holds the vendors' keys; jails have placeholders in the variables of their names.</summary>
public abstract class VendorInstallation : Installation
{
    VendorOrigin? origin;
    IReadOnlyList<Vendor> vendors = [];

    internal VendorOrigin Origin => origin ?? throw new InvalidOperationException("Not started.");

    /// <summary>Every real key; none may be read in a jail.</summary>
    internal IEnumerable<VendorKey> Keys => vendors.SelectMany(vendor => vendor.Keys).Distinct();

    internal abstract IReadOnlyList<Vendor> MakeVendors();

    /// <summary>Lines of the section <c>egress</c> beside map and secrets.</summary>
    protected virtual string MoreEgress => "";

    /// <summary>Secrets that jails are granted besides the vendors' own.</summary>
    protected virtual IReadOnlyList<string> MoreSecrets => [];

    /// <summary>Entries of the map besides the vendors' own.</summary>
    protected virtual string MoreMap => "";

    string CaFile => Path.Combine(Home, "vendors.pem");

    public override async ValueTask InitializeAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        vendors = MakeVendors();
        origin = await VendorOrigin.Start(vendors.ToDictionary(vendor => vendor.Host, vendor => vendor.Answer), limit.Token);
        Directory.CreateDirectory(Home);
        await File.WriteAllTextAsync(CaFile, Origin.AuthorityPem, limit.Token);
        await base.InitializeAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await base.DisposeAsync();
        if (origin is not null)
            await origin.DisposeAsync();
    }

    protected override string Egress =>
        $"""
        {base.Egress}
        {Origin.Map(CaFile, vendors.ToDictionary(vendor => vendor.Host, vendor => vendor.Keys.Select(key => key.Secret).ToArray()))}
        {MoreMap}
          secrets: [{string.Join(", ", Keys.Select(key => key.Secret).Concat(MoreSecrets))}]
        {MoreEgress}
        """;

    protected override async Task SetModelKey(CancellationToken cancellationToken)
    {
        await base.SetModelKey(cancellationToken);
        foreach (var key in Keys)
            await SetKey(key, key.Value, cancellationToken);
    }

    /// <summary>Stores a value for the key as an operator does, for all hosts that it is for.</summary>
    internal async Task SetKey(VendorKey key, string value, CancellationToken cancellationToken) =>
        (await Cli(["secrets", "set", key.Secret, .. vendors.Where(vendor => vendor.Keys.Contains(key)).SelectMany(vendor => new[] { "--host", vendor.Host })], value, cancellationToken)).Succeeded();
}
