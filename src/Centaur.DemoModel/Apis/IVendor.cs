using System.Text.Json.Nodes;

namespace Centaur.DemoModel.Apis;

/// <summary>Where a vendor's clients put their key, and how its errors look.</summary>
internal interface IVendor
{
    /// <summary>The key that the request carries, or null.</summary>
    string? Key(IHeaderDictionary headers);

    ApiFault Unauthorized(bool keyPresent);

    JsonObject Error(ApiFault fault);
}
