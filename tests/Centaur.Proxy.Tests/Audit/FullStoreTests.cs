using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Centaur.Proxy.Tests.Fixtures;
using Centaur.Testing;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Audit;

/// <summary>The audit on a disk that fills up, and has room again.</summary>
public sealed class FullStoreTests
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task F56_where_the_audit_is_full_nothing_is_sent_and_with_room_again_the_chain_goes_on()
    {
        using var disk = await SmallDisk.Mount("32k");
        await File.WriteAllBytesAsync(disk.PathOf("ballast"), new byte[16 * 1024], Token);
        var origin = await Origin.StartStrict();
        await using var keyed = await KeyedProxy.Start(origin, audit: disk.PathOf("audit.ndjson"));
        using var client = keyed.Proxy.Client();
        var sent = 0;
        while (await Ask(client, sent) != 503)
            sent++;

        for (var more = 0; more < 3; more++)
            (await Ask(client, sent + more)).ShouldBe(503);
        origin.Seen.Count.ShouldBe(sent);
        File.Delete(disk.PathOf("ballast"));
        (await Ask(client, sent + 10)).ShouldBe(200);

        sent.ShouldBeGreaterThan(1);
        var lines = await File.ReadAllLinesAsync(keyed.Proxy.AuditPath, Token);
        Chain(lines).ShouldBe(lines.Length);
        foreach (var request in origin.Seen)
            lines.ShouldContain(line => line.Contains("\"kind\":\"intent\"", StringComparison.Ordinal) && line.Contains($"\"path\":\"{request.Target}\"", StringComparison.Ordinal));
    }

    static async Task<int> Ask(HttpClient client, int number)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"https://api.vendor.test/{number}");
        request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + TestPolicy.Placeholder);
        using var answer = await client.SendAsync(request, Token);
        return (int)answer.StatusCode;
    }

    /// <returns>How many lines follow each other from the first on.</returns>
    static int Chain(string[] lines)
    {
        var previous = new byte[32];
        for (var i = 0; i < lines.Length; i++)
        {
            var cut = lines[i].LastIndexOf(",\"hash\":\"", StringComparison.Ordinal);
            if (cut < 0)
                return i;
            previous = SHA256.HashData([.. previous, .. Encoding.UTF8.GetBytes(lines[i][..cut])]);
            if (lines[i][(cut + 9)..^2] != Convert.ToHexStringLower(previous))
                return i;
        }

        return lines.Length;
    }

    /// <summary>A file system of a few pages. It is mounted where only a process of its own sees it, and is reached through that process.</summary>
    sealed class SmallDisk : IDisposable
    {
        readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("centaur-full-");
        Process holder = null!;

        public string PathOf(string name) => $"/proc/{holder.Id}/root{folder.FullName}/{name}";

        public static async Task<SmallDisk> Mount(string size)
        {
            var disk = new SmallDisk();
            IReadOnlyList<string> command = [.. OwnMounts.SmallDisk(disk.folder.FullName, size), "sh", "-c", "touch \"$0/mounted\"; exec sleep 600", disk.folder.FullName];
            disk.holder = Process.Start(command[0], command.Skip(1));
            while (!File.Exists(disk.PathOf("mounted")))
                await Task.Delay(5, Token);
            return disk;
        }

        public void Dispose()
        {
            holder.Kill();
            holder.WaitForExit();
            holder.Dispose();
            folder.Delete(recursive: true);
        }
    }
}
