using System.Security.Cryptography;

namespace Centaur.Server.Attachments;

/// <summary>A file that came with a message.</summary>
public sealed record Attachment(string Id, string Name, string MimeType, byte[] Data)
{
    internal static string NewId() => "att-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
}
