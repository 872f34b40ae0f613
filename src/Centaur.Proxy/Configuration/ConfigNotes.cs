namespace Centaur.Proxy.Configuration;

/// <summary>What reading a file found: errors stop the start, notices do not.</summary>
sealed class ConfigNotes
{
    public List<string> Errors { get; } = [];

    public List<string> Notices { get; } = [];
}
