using System.Text;
using Microsoft.AspNetCore.Http;

namespace Centaur.Proxy.Hosting;

/// <summary>Says that the program lives, on a listener that shares nothing with the proxy's.</summary>
sealed class HealthProbe : ISideDoor
{
    static readonly byte[] Ok = Encoding.ASCII.GetBytes("OK");

    public Task Answer(HttpContext context)
    {
        context.Response.ContentType = "text/plain";
        if (context.Request.Path == "/healthz")
            return context.Response.BodyWriter.WriteAsync(Ok, context.RequestAborted).AsTask();
        context.Response.StatusCode = StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    }
}
