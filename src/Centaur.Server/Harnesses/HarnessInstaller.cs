using System.Collections.Concurrent;
using System.Diagnostics;
using Centaur.Protocol.Sandbox;
using Centaur.Server.Platform.Configuration;

namespace Centaur.Server.Harnesses;

/// <summary>
/// Installs a pinned harness CLI from npm into the Centaur home, once for each version. The folder appears whole or not at all: npm writes beside it and one
/// rename publishes it, so that two servers of a host, or a kill in the middle, leave nothing half-done.
/// </summary>
internal sealed class HarnessInstaller(HostIdentity host)
{
    const int ErrorCharacters = 1_500;
    const int CommandNotFound = 127;
    static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

    readonly ConcurrentDictionary<string, SemaphoreSlim> installing = new(StringComparer.Ordinal);

    public bool IsInstalled(HarnessPin pin) => File.Exists(Path.Combine(Folder(pin), pin.BinaryRelativePath));

    /// <summary>The program as the jail sees it: the harnesses' folder is mounted read-only at <see cref="JailPaths.Harnesses"/>.</summary>
    public static string ProgramInJail(HarnessPin pin) => $"{JailPaths.Harnesses}/{pin.Name}/{pin.Version}/{pin.BinaryRelativePath}";

    /// <exception cref="HarnessUnavailableException">npm is not there, or cannot install it; the message says why.</exception>
    public async Task Install(HarnessPin pin, CancellationToken cancellationToken)
    {
        var gate = installing.GetOrAdd(pin.Name, static _ => new SemaphoreSlim(1, 1));
        await gate.WaitAsync(cancellationToken);
        try
        {
            if (!IsInstalled(pin))
                await Fetch(pin, cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.ComponentModel.Win32Exception)
        {
            // Another try would meet the same disk; whoever asked is told what is wrong with it.
            throw new HarnessUnavailableException($"The {pin.Name} harness could not be installed on this machine: {e.Message}", e);
        }
        finally
        {
            gate.Release();
        }
    }

    async Task Fetch(HarnessPin pin, CancellationToken cancellationToken)
    {
        // Whoever runs in a jail reads this: the server's own umask must not decide.
        var folder = Directory.CreateDirectory(Path.GetDirectoryName(Folder(pin))!);
        folder.UnixFileMode |= UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;
        var partial = $"{Folder(pin)}.{Guid.CreateVersion7():N}";
        try
        {
            await Npm(pin, partial, cancellationToken);
            if (!File.Exists(Path.Combine(partial, pin.BinaryRelativePath)))
                throw new HarnessUnavailableException($"npm installed {pin.NpmSpecification}, but {pin.BinaryRelativePath} is not in it. The pin does not fit this machine's platform.");
            if (!IsInstalled(pin))
                Directory.Move(partial, Folder(pin));
        }
        finally
        {
            if (Directory.Exists(partial))
                Directory.Delete(partial, recursive: true);
        }
    }

    static async Task Npm(HarnessPin pin, string folder, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("/bin/sh") { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/" };
        foreach (var argument in (string[])["-c", "umask 022; exec npm \"$@\"", "npm", "install", "--prefix", folder, "--no-audit", "--no-fund", "--no-save", "--loglevel=error", pin.NpmSpecification])
            start.ArgumentList.Add(argument);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Limit);
        using var npm = Process.Start(start)!;
        try
        {
            var output = npm.StandardOutput.ReadToEndAsync(limit.Token);
            var errors = await npm.StandardError.ReadToEndAsync(limit.Token);
            await output;
            await npm.WaitForExitAsync(limit.Token);
            if (npm.ExitCode == CommandNotFound)
                throw new HarnessUnavailableException($"The {pin.Name} harness is installed with npm, and npm is not on this machine. Install Node.js, or use the harness built-in.");
            if (npm.ExitCode != 0)
                throw new HarnessUnavailableException($"npm could not install {pin.NpmSpecification}: {errors.Trim()[..Math.Min(ErrorCharacters, errors.Trim().Length)]}");
        }
        catch (OperationCanceledException e)
        {
            npm.Kill(entireProcessTree: true);
            if (cancellationToken.IsCancellationRequested)
                throw;
            throw new HarnessUnavailableException($"npm did not install {pin.NpmSpecification} within {Limit.TotalMinutes:0} minutes. Is its registry reachable from this machine?", e);
        }
    }

    string Folder(HarnessPin pin) => Path.Combine(host.Layout.HarnessesFolder, pin.Name, pin.Version);
}

/// <summary>The harness cannot run here; the message says what to do.</summary>
internal sealed class HarnessUnavailableException(string message, Exception? inner = null) : Exception(message, inner);
