using Centaur.Server.Platform.Configuration;

namespace Centaur.Server.Attachments;

/// <summary>Files in and out of a thread, for whoever may read it.</summary>
public static class AttachmentsSlice
{
    public static void AddAttachments(this IServiceCollection services, Settings settings)
    {
        services.AddSingleton(AttachmentOptions.Read(settings));
        services.AddSingleton<AttachmentStore>();
    }

    public static void MapAttachments(this IEndpointRouteBuilder routes) => AttachmentEndpoints.Map(routes);
}
