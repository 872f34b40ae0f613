using System.Security.Cryptography;

namespace Centaur.DemoModel.Apis;

/// <summary>Ids with a vendor's prefix.</summary>
internal static class Identifier
{
    public static string New(string prefix) => prefix + RandomNumberGenerator.GetHexString(24, lowercase: true);
}
