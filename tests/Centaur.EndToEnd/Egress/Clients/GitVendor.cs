using System.Diagnostics;
using System.Globalization;
using Centaur.EndToEnd.Egress.Vendors;
using Microsoft.AspNetCore.Http;

namespace Centaur.EndToEnd.Egress.Clients;

/// <summary>A code host: git's own <c>git-http-backend</c> over a folder of bare repositories, which takes pushes.</summary>
internal sealed class GitVendor(string folder)
{
    public const string Host = "github.com";

    /// <summary>A repository with one file.</summary>
    public async Task Make(string name, string file, string content, CancellationToken cancellationToken)
    {
        var work = Path.Combine(folder, "work-" + name);
        Directory.CreateDirectory(work);
        await File.WriteAllTextAsync(Path.Combine(work, file), content, cancellationToken);
        await Git(work, ["init", "--quiet", "--initial-branch=main"], cancellationToken);
        await Git(work, ["add", "."], cancellationToken);
        await Git(work, ["-c", "user.name=Ada", "-c", "user.email=ada@vendor.test", "commit", "--quiet", "--message=Begin"], cancellationToken);
        await Git(folder, ["clone", "--quiet", "--bare", work, Bare(name)], cancellationToken);
        await Git(Bare(name), ["config", "http.receivepack", "true"], cancellationToken);
    }

    /// <summary>A file as it stands at the tip of a branch.</summary>
    public async Task<string> Read(string name, string branch, string file, CancellationToken cancellationToken) =>
        await Git(Bare(name), ["show", $"{branch}:{file}"], cancellationToken);

    public async Task Answer(HttpContext context)
    {
        var request = context.Request;
        var start = new ProcessStartInfo("git", ["http-backend"]) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach (var (name, value) in new Dictionary<string, string?>
        {
            ["GIT_PROJECT_ROOT"] = folder, ["GIT_HTTP_EXPORT_ALL"] = "1", ["REQUEST_METHOD"] = request.Method, ["PATH_INFO"] = request.Path, ["QUERY_STRING"] = request.QueryString.Value?.TrimStart('?'),
            ["CONTENT_TYPE"] = request.ContentType, ["CONTENT_LENGTH"] = request.ContentLength?.ToString(CultureInfo.InvariantCulture), ["HTTP_CONTENT_ENCODING"] = request.Headers.ContentEncoding,
            ["GIT_PROTOCOL"] = request.Headers["Git-Protocol"], ["REMOTE_USER"] = "ada",
            ["GIT_CONFIG_COUNT"] = "1", ["GIT_CONFIG_KEY_0"] = "safe.directory", ["GIT_CONFIG_VALUE_0"] = "*",
        })
        {
            if (!string.IsNullOrEmpty(value))
                start.Environment[name] = value;
        }

        using var backend = Process.Start(start)!;
        var sending = Send(request.Body, backend, context.RequestAborted);
        await Return(backend.StandardOutput.BaseStream, context);
        await sending;
        await backend.WaitForExitAsync(context.RequestAborted);
    }

    static async Task Send(Stream body, Process backend, CancellationToken cancellationToken)
    {
        await body.CopyToAsync(backend.StandardInput.BaseStream, cancellationToken);
        backend.StandardInput.Close();
    }

    /// <summary>CGI: header lines, an empty one, the body.</summary>
    static async Task Return(Stream output, HttpContext context)
    {
        while (await Line(output, context.RequestAborted) is { Length: > 0 } line)
        {
            var (name, value) = (line[..line.IndexOf(':', StringComparison.Ordinal)], line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim());
            if (name == "Status")
                context.Response.StatusCode = int.Parse(value.Split(' ')[0], CultureInfo.InvariantCulture);
            else
                context.Response.Headers[name] = value;
        }

        await output.CopyToAsync(context.Response.Body, context.RequestAborted);
    }

    static async Task<string> Line(Stream stream, CancellationToken cancellationToken)
    {
        var line = new List<byte>();
        var one = new byte[1];
        while (await stream.ReadAsync(one, cancellationToken) == 1 && one[0] != '\n')
            line.Add(one[0]);
        return System.Text.Encoding.ASCII.GetString([.. line]).TrimEnd('\r');
    }

    string Bare(string name) => Path.Combine(folder, name + ".git");

    static async Task<string> Git(string where, string[] arguments, CancellationToken cancellationToken) =>
        (await Programs.Run("git", ["-C", where, "-c", "safe.directory=*", .. arguments], new Dictionary<string, string>(), null, cancellationToken)).Succeeded().Output;
}
