using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Centaur.EndToEnd.Egress.Clients;

/// <summary>A mirror as apt knows it: one suite with one package, which a real <c>dpkg-deb</c> has built.</summary>
internal sealed class AptVendor(string folder)
{
    public const string Host = "deb.vendor.test";
    public const string Package = "centaur-greeting";
    public const string Greeting = "hello from a mirror";

    readonly Dictionary<string, byte[]> answers = [];

    public async Task Make(CancellationToken cancellationToken)
    {
        var tree = Path.Combine(folder, Package);
        const string control = $"Package: {Package}\nVersion: 1.0\nArchitecture: all\nMaintainer: Ada <ada@vendor.test>\nDescription: greets\n";
        Directory.CreateDirectory(Path.Combine(tree, "DEBIAN"));
        Directory.CreateDirectory(Path.Combine(tree, "usr"));
        await File.WriteAllTextAsync(Path.Combine(tree, "DEBIAN", "control"), control, cancellationToken);
        await File.WriteAllTextAsync(Path.Combine(tree, "usr", "greeting"), Greeting + "\n", cancellationToken);
        var archive = Path.Combine(folder, Package + ".deb");
        (await Programs.Run("dpkg-deb", ["--build", "--root-owner-group", tree, archive], new Dictionary<string, string>(), null, cancellationToken)).Succeeded();

        var bytes = await File.ReadAllBytesAsync(archive, cancellationToken);
        answers["/debian/pool/greeting.deb"] = bytes;
        var packages = Encoding.UTF8.GetBytes($"{control}Filename: pool/greeting.deb\nSize: {bytes.Length}\nSHA256: {Hash(bytes)}\n\n");
        answers["/debian/dists/stable/main/binary-amd64/Packages"] = packages;
        var now = TimeProvider.System.GetUtcNow().ToString("R", CultureInfo.InvariantCulture);
        answers["/debian/dists/stable/Release"] = Encoding.UTF8.GetBytes(
            $"Origin: vendor\nSuite: stable\nCodename: stable\nDate: {now}\nArchitectures: amd64 all\nComponents: main\nSHA256:\n {Hash(packages)} {packages.Length} main/binary-amd64/Packages\n");
    }

    public Task Answer(HttpContext context)
    {
        if (answers.TryGetValue(context.Request.Path.Value!, out var body))
        {
            context.Response.ContentLength = body.Length;
            return context.Response.Body.WriteAsync(body, context.RequestAborted).AsTask();
        }

        context.Response.StatusCode = StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    }

    static string Hash(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
}
