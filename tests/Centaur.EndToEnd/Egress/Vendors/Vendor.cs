using Microsoft.AspNetCore.Http;

namespace Centaur.EndToEnd.Egress.Vendors;

/// <summary>One name of the <see cref="VendorOrigin"/>.</summary>
/// <param name="Host">The name that sandboxes use.</param>
/// <param name="Keys">The keys that may be sent there.</param>
/// <param name="Answer">What it answers.</param>
internal sealed record Vendor(string Host, IReadOnlyList<VendorKey> Keys, RequestDelegate Answer)
{
    /// <summary>One that refuses whoever does not carry its key.</summary>
    public static Vendor Strict(string host, VendorKey key, RequestDelegate answer) => new(host, [key], key.Guard(answer));
}
