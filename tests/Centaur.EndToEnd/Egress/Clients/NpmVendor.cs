using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Centaur.EndToEnd.Egress.Clients;

/// <summary>A package registry as npm knows it: documents with checksums, and archives.</summary>
internal sealed class NpmVendor
{
    public const string Host = "npm.vendor.test";
    const string Version = "1.2.3";

    readonly Dictionary<string, byte[]> answers = [];

    public void Publish(string name, string code, params string[] dependencies)
    {
        var needed = new JsonObject(dependencies.Select(each => KeyValuePair.Create<string, JsonNode?>(each, "^1.0.0")));
        var manifest = new JsonObject { ["name"] = name, ["version"] = Version, ["main"] = "index.js", ["dependencies"] = needed };
        var archive = Archive(("package/package.json", manifest.ToJsonString()), ("package/index.js", code));
        var path = $"/{name}/-/{name}-{Version}.tgz";
        var version = manifest.DeepClone().AsObject();
        version["dist"] = new JsonObject { ["tarball"] = $"https://{Host}{path}", ["integrity"] = "sha512-" + Convert.ToBase64String(SHA512.HashData(archive)) };
        var document = new JsonObject { ["name"] = name, ["dist-tags"] = new JsonObject { ["latest"] = Version }, ["versions"] = new JsonObject { [Version] = version } };
        answers[path] = archive;
        answers["/" + name] = Encoding.UTF8.GetBytes(document.ToJsonString());
    }

    public Task Answer(HttpContext context)
    {
        var path = context.Request.Path.Value!;
        if (!answers.TryGetValue(path, out var body))
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        }

        context.Response.ContentType = path.EndsWith(".tgz", StringComparison.Ordinal) ? "application/octet-stream" : "application/json";
        return context.Response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }

    static byte[] Archive(params (string Path, string Text)[] files)
    {
        using var packed = new MemoryStream();
        using (var compressed = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        using (var tar = new TarWriter(compressed, TarEntryFormat.Ustar))
        {
            foreach (var (path, text) in files)
                tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, path) { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text)) });
        }

        return packed.ToArray();
    }
}
