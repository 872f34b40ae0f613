using Microsoft.AspNetCore.Http;

namespace Centaur.Proxy.Hosting;

/// <summary>Marks connections of a listener that is no proxy, and answers what comes on them.</summary>
interface ISideDoor
{
    Task Answer(HttpContext context);
}
