using System.Text.Json.Nodes;
using Centaur.DemoModel.Apis;

namespace Centaur.DemoModel.Hosting;

/// <summary><c>GET /v1/models</c> in either vendor's shape; the demo model answers to any name.</summary>
internal sealed class ModelList(RequiredKey key, RequestRecorder recorder)
{
    const string Name = "centaur-demo";

    readonly OpenAiVendor openAi = new();
    readonly AnthropicVendor anthropic = new();

    public async Task Handle(HttpContext context)
    {
        var headers = context.Request.Headers;
        IVendor vendor = headers.ContainsKey("anthropic-version") || headers.ContainsKey("x-api-key") ? anthropic : openAi;
        var credential = key.Judge(vendor.Key(headers));
        await recorder.Record(context.Request, credential, null, context.RequestAborted);
        if (!key.Admits(credential))
        {
            await ModelEndpoint.Refuse(context, vendor, vendor.Unauthorized(credential != "missing"));
            return;
        }

        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync((vendor == anthropic ? Anthropic() : OpenAi()).Line(), context.RequestAborted);
    }

    static JsonObject OpenAi()
    {
        var model = new JsonObject { ["id"] = Name, ["object"] = "model", ["created"] = 1_760_000_000, ["owned_by"] = "centaur" };
        return new JsonObject { ["object"] = "list", ["data"] = new JsonArray(model) };
    }

    static JsonObject Anthropic()
    {
        var model = new JsonObject { ["type"] = "model", ["id"] = Name, ["display_name"] = "Centaur demo model", ["created_at"] = "2025-10-09T00:00:00Z" };
        return new JsonObject { ["data"] = new JsonArray(model), ["has_more"] = false, ["first_id"] = Name, ["last_id"] = Name };
    }
}
