using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Centaur.Cli.Api;
using Centaur.Cli.Processes;

namespace Centaur.Cli.Ask;

// How a repository of this machine gets into a jail, where alone it is cloned (design §2):
//
//   POST /agent/workspaces/{thread_key}/bundle?name=NAME&head=COMMIT[&branch=BRANCH]      scope agent:execute
//   Content-Type: application/octet-stream      body: `git bundle create - --all HEAD`, chunked
//   200 {"name":"NAME","bytes":N}               the whole bundle is stored, and replaces an earlier one of that name for this thread
//
// A body that breaks off is thrown away. The execution then carries metadata.repo = {"name","head","branch"}; before its turn the server hands the
// bundle into the jail, where it is cloned into the workspace's folder NAME (or fetched, where an earlier turn cloned it) and BRANCH is checked out.

/// <summary>A git repository as one stream that holds all its history and nothing of this machine's paths, hooks or configuration.</summary>
/// <param name="Root">The repository's top folder.</param>
/// <param name="Name">The name of its folder in the workspace.</param>
/// <param name="Head">The commit that is checked out here.</param>
/// <param name="Branch">The branch that is checked out here, or null when none is.</param>
internal sealed record RepositoryBundle(string Root, string Name, string Head, string? Branch)
{
    public RepositoryMetadata Metadata => new(Name, Head, Branch);

    public static async Task<RepositoryBundle> Of(string path, CancellationToken cancellationToken)
    {
        if (path.Length == 0)
            throw new CliError(ExitCode.Usage, "--repo is empty.", remedy: "--repo takes the path of a repository on this machine, for example --repo .");
        var root = await Git(path, cancellationToken, "rev-parse", "--is-shallow-repository", "--is-bare-repository", "--absolute-git-dir");
        if (!root.Succeeded)
        {
            throw new CliError(ExitCode.Usage, $"{path} is not a git repository.", remedy: "--repo takes the path of a repository on this machine, for example --repo .")
            {
                Evidence = root.Tail(2),
            };
        }

        var facts = root.Output.Split('\n', StringSplitOptions.TrimEntries);
        var (isShallow, isBare, gitFolder) = (facts[0] == "true", facts[1] == "true", facts[2]);
        if (isShallow)
            throw new CliError(ExitCode.Usage, $"The repository at {path} is a shallow clone.", "A part of its history is not here, so it cannot be cloned from here.", $"git -C {path} fetch --unshallow");

        var head = await Git(path, cancellationToken, "rev-parse", "--verify", "HEAD");
        if (!head.Succeeded)
            throw new CliError(ExitCode.Usage, $"The repository at {path} has no commit yet.", "What is not committed cannot be handed over.", "git commit");

        var branch = await Git(path, cancellationToken, "symbolic-ref", "--quiet", "--short", "HEAD");
        var folder = isBare ? gitFolder : (await Git(path, cancellationToken, "rev-parse", "--show-toplevel")).Output.Trim();
        return new RepositoryBundle(folder, NameOf(folder), head.Output.Trim(), branch.Succeeded ? branch.Output.Trim() : null);
    }

    /// <summary>A bare repository is called <c>name.git</c>; its clone is not.</summary>
    static string NameOf(string folder)
    {
        var name = Path.GetFileName(folder);
        if (name.EndsWith(".git", StringComparison.Ordinal))
            name = name[..^4];
        return name.Length > 0 ? name : "repository";
    }

    /// <summary>True when the working tree holds what no commit holds; it stays here.</summary>
    public async Task<bool> HasUncommittedChanges(CancellationToken cancellationToken) =>
        (await Git(Root, cancellationToken, "status", "--porcelain", "--untracked-files=no")).Output.Trim().Length > 0;

    public async Task<BundleAnswer> Upload(ApiClient api, string threadKey, CancellationToken cancellationToken)
    {
        var query = $"name={Uri.EscapeDataString(Name)}&head={Head}" + (Branch is null ? "" : $"&branch={Uri.EscapeDataString(Branch)}");
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/agent/workspaces/{Uri.EscapeDataString(threadKey)}/bundle?{query}")
        {
            Content = new BundleContent(Root),
        };
        return await api.SendOnce(request, CliJson.Default.BundleAnswer, cancellationToken);
    }

    static Task<ProcessRun> Git(string path, CancellationToken cancellationToken, params string[] arguments) =>
        ProcessRun.Of(new ProcessCommand("git", ["-C", Path.GetFullPath(path), .. arguments]), cancellationToken);

    /// <summary>Git's output goes into the request as it is made. When git fails the body breaks off, so that half a bundle is never a whole request.</summary>
    sealed class BundleContent : HttpContent
    {
        readonly string root;

        public BundleContent(string root)
        {
            this.root = root;
            Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        }

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            var start = new ProcessCommand("git", "-C", root, "bundle", "create", "--quiet", "-", "--all", "HEAD").ToStartInfo();
            start.RedirectStandardOutput = true;
            start.RedirectStandardError = true;
            using var git = Process.Start(start)!;
            try
            {
                var errors = git.StandardError.ReadToEndAsync(cancellationToken);
                await git.StandardOutput.BaseStream.CopyToAsync(stream, cancellationToken);
                await git.WaitForExitAsync(cancellationToken);
                if (git.ExitCode != 0)
                {
                    throw new CliError(
                        ExitCode.Failed, string.Create(CultureInfo.InvariantCulture, $"git bundle ended with {git.ExitCode}."), "The repository was not handed over.",
                        "See that `git fsck` is content.")
                    {
                        Evidence = (await errors).Split('\n', StringSplitOptions.RemoveEmptyEntries),
                    };
                }
            }
            finally
            {
                if (!git.HasExited)
                    git.Kill();
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
