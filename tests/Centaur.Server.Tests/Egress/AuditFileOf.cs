using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Centaur.Testing.Server;

namespace Centaur.Server.Tests.Egress;

/// <summary>A sandbox's audit file on the server's host, written line by line as a proxy writes it: from the format's description, not from the product's code.</summary>
internal sealed class AuditFileOf
{
    byte[] head = new byte[32];
    int requests;

    public AuditFileOf(ServerFixture server, string? sandboxId = null)
    {
        SandboxId = sandboxId ?? "sbx-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
        Path = server.Layout.AuditFile(SandboxId);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(Path)!);
    }

    public string SandboxId { get; }

    public string Path { get; }

    public string Thread { get; init; } = Http.NewThread();

    /// <summary>Writes so many requests, two lines each.</summary>
    public AuditFileOf Requests(int count)
    {
        for (var n = 0; n < count; n++)
        {
            var id = $"test-{++requests}";
            Line("intent", id, new JsonObject { ["host"] = "api.vendor.test", ["port"] = 443, ["method"] = "GET", ["path"] = $"/{requests}", ["rule"] = "test", ["secrets"] = new JsonArray("KEY") });
            Line("outcome", id, new JsonObject { ["host"] = "api.vendor.test", ["status"] = 200, ["bytes_sent"] = 0, ["bytes_received"] = 5, ["duration_ms"] = 1.25 });
        }

        return this;
    }

    public AuditFileOf Line(string kind, string? id, JsonObject fields)
    {
        var record = new JsonObject { ["time"] = "2026-11-21T20:00:00.1234567+00:00", ["kind"] = kind, ["sandbox"] = SandboxId, ["thread"] = Thread, ["turn"] = "turn-1", ["principal"] = "ada" };
        if (id is not null)
            record["id"] = id;
        foreach (var (name, value) in fields)
            record[name] = value?.DeepClone();
        return Raw(record.ToJsonString());
    }

    /// <summary>Adds the hash to a JSON object, whatever it says.</summary>
    public AuditFileOf Raw(string json)
    {
        var body = Encoding.UTF8.GetBytes(json[..^1]);
        head = SHA256.HashData([.. head, .. body]);
        return Append(Encoding.UTF8.GetString(body) + $",\"hash\":\"{Convert.ToHexStringLower(head)}\"}}\n");
    }

    public AuditFileOf Append(string text)
    {
        File.AppendAllText(Path, text);
        return this;
    }
}
