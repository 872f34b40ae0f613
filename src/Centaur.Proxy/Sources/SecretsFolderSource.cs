using Centaur.Protocol.Broker;

namespace Centaur.Proxy.Sources;

/// <summary>Files of the broker's own folder: of plain names, no links, and readable by their owner alone.</summary>
/// <param name="folder">The secrets folder.</param>
sealed class SecretsFolderSource(string folder) : IValueSource
{
    public async Task<SourceAnswer> Read(string reference, CancellationToken cancellationToken)
    {
        if (SourceForm.Problem(new SecretSource(SecretSourceTypes.File, reference)) is not null)
            return SourceAnswer.BadReference("the secrets folder");
        var file = new FileInfo(Path.Combine(folder, reference));
        try
        {
            if (file.LinkTarget is not null)
                return SourceAnswer.Forbidden("the file is a link");
            if (!file.Exists)
                return SourceAnswer.Missing("no value has been set");
            if (!PrivateMode.IsKept(file))
                return SourceAnswer.Forbidden("the file can be read by others than its owner; set it again, or give it mode 0600");
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return SourceAnswer.Unavailable($"the file cannot be read ({fault.GetType().Name})");
        }

        return await ValueFile.Read(file.FullName, cancellationToken);
    }
}
