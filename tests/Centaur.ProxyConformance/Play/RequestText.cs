using System.Text;
using Centaur.ProxyConformance.Data;

namespace Centaur.ProxyConformance.Play;

/// <summary>A client's script as the bytes of HTTP/1.1.</summary>
static class RequestText
{
    public static int Port(ClientScript client) => client.Port > 0 ? client.Port : client.Via is "tls" or "socks" ? 443 : 80;

    public static string Connect(ClientScript client)
    {
        var authority = client.Authority ?? $"{client.Host}:{Port(client)}";
        return $"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n{string.Concat(client.ConnectHeaders.Select(line => line + "\r\n"))}\r\n";
    }

    public static string Of(ClientScript client)
    {
        var port = Port(client);
        var host = port is 443 or 80 ? client.Host : $"{client.Host}:{port}";
        var target = client.Via == "absolute" ? $"http://{host}{client.Target}" : client.Target;
        var text = new StringBuilder($"{client.Method} {target} HTTP/1.1\r\n");
        if (client.NamesHost)
            text.Append($"Host: {host}\r\n");
        foreach (var line in client.Headers)
            text.Append(line).Append("\r\n");
        if (client.Frames.Count == 0 && !client.Headers.Exists(line => line.StartsWith("Connection:", StringComparison.OrdinalIgnoreCase)))
            text.Append("Connection: close\r\n");
        var body = Body(client);
        if (client.Chunks.Count > 0)
            text.Append("Transfer-Encoding: chunked\r\n\r\n").Append(string.Concat(client.Chunks.Select(chunk => $"{chunk.Length:x}\r\n{chunk}\r\n"))).Append("0\r\n\r\n");
        else if (body.Length > 0 || client.Method is "POST" or "PUT" or "PATCH")
            text.Append($"Content-Length: {body.Length}\r\n\r\n").Append(body);
        else
            text.Append("\r\n");
        return text.ToString();
    }

    public static string Body(ClientScript client) => client.Body ?? new string('x', client.BodySize);
}
