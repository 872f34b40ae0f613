using System.Text;
using Centaur.Protocol.Broker;
using Centaur.Proxy.Sources;
using Centaur.Proxy.Tests.Fixtures.Sources;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Sources;

public sealed class KubernetesSourceTests : IDisposable
{
    readonly KubernetesFolder mounted = new();
    readonly DirectoryInfo outside = Directory.CreateTempSubdirectory("centaur-outside-");

    static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        mounted.Dispose();
        outside.Delete(recursive: true);
    }

    [Fact]
    public async Task A_key_is_read_through_the_kubelet_s_links_and_a_rotation_is_seen()
    {
        mounted.Write(("billing-token", "first\n"), ("tls.key", "k"));
        (await Read("billing-token")).Text().ShouldBe("first");

        mounted.Write(("billing-token", "second"));

        (await Read("billing-token")).Text().ShouldBe("second");
        (await Read("tls.key")).Code.ShouldBe(BrokerFailures.NotFound);
    }

    [Fact]
    public async Task However_often_it_rotates_a_reader_gets_one_version_whole()
    {
        var values = Enumerable.Range(0, 200).Select(i => new string((char)('a' + i % 26), 4096)).ToArray();
        mounted.Write(("key", values[0]));
        var rotating = Task.Run(
            () =>
            {
                foreach (var value in values)
                    mounted.Write(("key", value));
            },
            Token);

        var seen = new HashSet<string>();
        do
        {
            var answer = await Read("key");
            // Four versions in the time of one reading is more than a kubelet writes.
            if (answer.Value is not null)
                seen.Add(Encoding.UTF8.GetString(answer.Value));
        }
        while (!rotating.IsCompleted);
        await rotating;

        seen.ShouldBeSubsetOf(values);
        (await Read("key")).Text().ShouldBe(values[^1]);
    }

    [Fact]
    public async Task A_link_that_Kubernetes_did_not_make_is_not_followed()
    {
        mounted.Write(("key", "value"));
        await File.WriteAllTextAsync(Path.Combine(outside.FullName, "key"), "outside", Token);
        File.CreateSymbolicLink(mounted.In("direct"), Path.Combine(outside.FullName, "key"));
        File.CreateSymbolicLink(mounted.In("other"), "..data/key");
        File.CreateSymbolicLink(mounted.In("up"), "..data/../key");

        foreach (var name in new[] { "direct", "other", "up" })
            (await Read(name)).Code.ShouldBe(BrokerFailures.Forbidden);
        File.Delete(mounted.In("..data"));
        File.CreateSymbolicLink(mounted.In("..data"), outside.FullName);
        (await Read("key")).Code.ShouldBe(BrokerFailures.Forbidden);
        File.Delete(mounted.In("..data"));
        File.CreateSymbolicLink(mounted.In("..elsewhere"), outside.FullName);
        File.CreateSymbolicLink(mounted.In("..data"), "..elsewhere");
        (await Read("key")).Code.ShouldBe(BrokerFailures.Forbidden);
    }

    [Theory]
    [InlineData("..data")]
    [InlineData("../key")]
    [InlineData("a/b")]
    [InlineData("..")]
    [InlineData("")]
    public async Task What_is_no_key_of_a_Secret_is_not_read(string reference)
    {
        mounted.Write(("key", "value"));

        (await Read(reference)).Code.ShouldBe(BrokerFailures.NotFound);
    }

    [Fact]
    public async Task A_key_that_was_mounted_alone_is_a_plain_file_and_a_folder_that_is_not_mounted_is_unavailable()
    {
        await File.WriteAllTextAsync(mounted.In("alone"), "value", Token);

        (await Read("alone")).Text().ShouldBe("value");
        (await new KubernetesSource("/nowhere/mounted").Read("alone", Token)).Code.ShouldBe(BrokerFailures.SourceUnavailable);
    }

    Task<SourceAnswer> Read(string key) => new KubernetesSource(mounted.Path).Read(key, Token);
}
