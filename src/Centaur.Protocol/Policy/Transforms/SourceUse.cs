namespace Centaur.Protocol.Policy.Transforms;

/// <summary>A value that a transform needs.</summary>
/// <param name="Role">The key of the configuration that names it.</param>
/// <param name="Name">Its name at the source: the secret's.</param>
/// <param name="Confidential">False for a client id or a user name: answers may hold it.</param>
public sealed record SourceUse(string Role, string Name, bool Confidential = true);
