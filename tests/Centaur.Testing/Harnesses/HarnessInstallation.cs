using System.Diagnostics;
using Centaur.Protocol.Sandbox;

namespace Centaur.Testing.Harnesses;

/// <summary>A harness CLI from npm at its pinned version, installed once for all test runs of this machine.</summary>
public static class HarnessInstallation
{
    /// <returns>The folder of the installation.</returns>
    public static async Task<string> Of(HarnessPin pin, CancellationToken cancellationToken)
    {
        var root = Path.Combine(Path.GetTempPath(), $"centaur-{pin.Name}");
        var folder = Path.Combine(root, pin.Version);
        if (File.Exists(Path.Combine(folder, pin.BinaryRelativePath)))
            return folder;
        // Whole or not at all: several test programs may come here at once.
        var draft = Path.Combine(root, $"{pin.Version}.{Environment.ProcessId}.{Guid.CreateVersion7():N}");
        Directory.CreateDirectory(draft);
        using var npm = Process.Start(new ProcessStartInfo("npm", ["install", "--prefix", draft, "--no-audit", "--no-fund", pin.NpmSpecification])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        })!;
        var said = await Task.WhenAll(npm.StandardOutput.ReadToEndAsync(cancellationToken), npm.StandardError.ReadToEndAsync(cancellationToken));
        await npm.WaitForExitAsync(cancellationToken);
        if (npm.ExitCode != 0)
            throw new InvalidOperationException($"npm could not install {pin.NpmSpecification}: {string.Concat(said)}");
        try
        {
            Directory.Move(draft, folder);
        }
        catch (IOException) when (Directory.Exists(folder))
        {
            Directory.Delete(draft, recursive: true);
        }

        return folder;
    }

    public static async Task<string> Program(HarnessPin pin, CancellationToken cancellationToken) => Path.Combine(await Of(pin, cancellationToken), pin.BinaryRelativePath);
}
