using System.Security.Cryptography;
using System.Text;

namespace Centaur.DemoModel.Hosting;

/// <summary>The one key that requests must carry, where one is required at all. Never prints.</summary>
internal sealed class RequiredKey(string? key)
{
    readonly byte[]? expected = key is null ? null : SHA256.HashData(Encoding.UTF8.GetBytes(key));

    public static RequiredKey FromFile(string? path) => new(path is null ? null : File.ReadAllText(path).Trim());

    /// <returns><c>ok</c>, <c>wrong</c> or <c>missing</c>. Where no key is required any key is ok.</returns>
    public string Judge(string? presented)
    {
        if (presented is null)
            return "missing";
        return expected is null || CryptographicOperations.FixedTimeEquals(expected, SHA256.HashData(Encoding.UTF8.GetBytes(presented))) ? "ok" : "wrong";
    }

    public bool Admits(string judgement) => expected is null || judgement == "ok";
}
