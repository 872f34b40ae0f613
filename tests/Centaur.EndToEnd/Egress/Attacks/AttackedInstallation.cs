using System.Collections.Concurrent;
using System.IO.Compression;
using System.Net.Http.Json;
using System.Text;
using Centaur.EndToEnd.Egress.Vendors;
using Centaur.Testing;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Centaur.EndToEnd.Egress.Attacks;

/// <summary>
/// An installation whose operator has been careless: rules name addresses that nobody may be led to, and a vendor tells whatever it was sent. Names are found in a
/// file that the tests write.
/// </summary>
public sealed class AttackedInstallation : VendorInstallation
{
    public const string Host = "api.vendor.test";

    /// <summary>Allowed, and bound to no key.</summary>
    public const string Unbound = "other.vendor.test";

    /// <summary>Allowed to become a WebSocket; it never does.</summary>
    public const string Sockets = "sockets.vendor.test";

    /// <summary>Reached by its name alone, without a map; whoever owns it says where that leads.</summary>
    public const string Rebound = "rebound.test";

    /// <summary>One that may be read, at some paths.</summary>
    public const string ReadOnly = "gists.test";

    /// <summary>What nothing may dial, in every spelling that a rule may have.</summary>
    internal static readonly string[] Forbidden =
    [
        "169.254.169.254", "[fd00:ec2::254]", "100.100.100.200", "169.254.170.2", "127.0.0.1", "127.1.2.3", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "0177.0.0.1", "0x7f.1",
        "10.1.2.3", "192.168.0.1", "100.64.0.1", "[fd12:3456::1]", "[::ffff:10.0.0.1]",
    ];

    /// <summary>The same in spellings that no rule may have.</summary>
    internal static readonly string[] Unnamed = ["localhost", "localhost.", "2130706433"];

    readonly System.Net.Sockets.TcpListener bait = new(System.Net.IPAddress.IPv6Any, 0);

    public AttackedInstallation()
    {
        bait.Server.DualMode = true;
        bait.Start();
    }

    /// <summary>A port of this machine, on every address, that must stay silent.</summary>
    public int BaitPort => ((System.Net.IPEndPoint)bait.LocalEndpoint).Port;

    /// <summary>Whether somebody came.</summary>
    public bool IsBitten => bait.Pending();

    internal VendorKey Key { get; } = new("VENDOR_TOKEN");

    /// <summary>Bound to the query parameter <c>key</c> and to bodies.</summary>
    internal VendorKey FormKey { get; } = new("FORM_TOKEN");

    /// <summary>The last body that each path was sent, byte for letter.</summary>
    public ConcurrentDictionary<string, string> Bodies { get; } = new();

    public string HostsFile => Path.Combine(Home, "hosts");

    internal override IReadOnlyList<Vendor> MakeVendors() =>
        [new(Host, [Key, FormKey], Tell), new(Unbound, [Key], Tell), new(Sockets, [], context => context.Response.WriteAsync("no socket"))];

    public override async ValueTask InitializeAsync()
    {
        Directory.CreateDirectory(Home);
        await File.WriteAllTextAsync(HostsFile, "127.0.0.1 localhost\n");
        await base.InitializeAsync();
        await Bind(Key, new { hosts = new[] { Host }, headers = new[] { "Authorization" } });
        await Bind(FormKey, new { hosts = new[] { Host }, query = new[] { "key" }, in_body = true });
    }

    public override async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await base.DisposeAsync();
        bait.Dispose();
    }

    protected override IReadOnlyList<string> Surroundings => OwnMounts.InPlaceOf("/etc/hosts", HostsFile);

    protected override string MoreEgress =>
        $$"""
          allow:
            - {name: careless, hosts: [{{string.Join(", ", Forbidden.Select(host => $"\"{host}\""))}}], ports: [80, 443, {{BaitPort}}]}
            - {{Rebound}}
            - {name: reading, hosts: [{{ReadOnly}}], methods: [GET], paths: [/v1/*]}
            - {hosts: [{{Sockets}}], websocket: true}
        """;

    async Task Bind(VendorKey key, object binding)
    {
        using var answer = await Http.PutAsJsonAsync($"/admin/secrets/{key.Secret}", new { bindings = new[] { binding } });
        answer.EnsureSuccessStatusCode();
    }

    /// <summary>Tells all that it was sent, in the way that the path asks for.</summary>
    async Task Tell(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body, Encoding.Latin1);
        var body = await reader.ReadToEndAsync(context.RequestAborted);
        Bodies[context.Request.Path.Value!] = body;
        var authorization = context.Request.Headers.Authorization.ToString();
        var response = context.Response;
        switch (context.Request.Path.Value)
        {
            case "/redirect":
                response.Redirect($"https://{Unbound}/?t={authorization.Split(' ')[^1]}");
                break;
            case "/letters":
                foreach (var letter in authorization)
                {
                    await response.WriteAsync(letter.ToString(), context.RequestAborted);
                    await response.Body.FlushAsync(context.RequestAborted);
                }

                break;
            case "/packed":
                response.Headers.ContentEncoding = "gzip";
                await using (var packer = new GZipStream(response.Body, CompressionLevel.Fastest))
                    await packer.WriteAsync(Encoding.UTF8.GetBytes("packed " + authorization), context.RequestAborted);
                break;
            case "/broken":
                response.StatusCode = StatusCodes.Status500InternalServerError;
                await response.WriteAsync($"no such key: {authorization} {context.Request.QueryString} {body}", context.RequestAborted);
                break;
            default:
                response.Headers["X-Echo"] = authorization;
                await response.WriteAsync($"{authorization}|{Convert.ToBase64String(Encoding.UTF8.GetBytes("user:" + authorization))}|{context.Request.QueryString}|{body}", Encoding.Latin1, context.RequestAborted);
                break;
        }
    }
}

/// <summary>The attacks share one installation; each comes from a jail of its own.</summary>
[CollectionDefinition(Name)]
public sealed class AttackedCollection : ICollectionFixture<AttackedInstallation>
{
    public const string Name = "Attacked";
}
