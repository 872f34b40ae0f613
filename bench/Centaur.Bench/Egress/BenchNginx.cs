using System.Diagnostics;
using Centaur.Bench.Installation;

namespace Centaur.Bench.Egress;

/// <summary>nginx with one worker, in a folder of its own: as the origin, and as a reverse proxy before it that verifies the origin and puts the key in.</summary>
internal static class BenchNginx
{
    public static string? Program => Programs.Find("nginx");

    /// <returns>The process, once each port is listened on.</returns>
    public static async Task<Process> Start(string program, string folder, string name, string servers, IReadOnlyList<int> ports, CancellationToken cancellationToken)
    {
        var own = Directory.CreateDirectory(Path.Combine(folder, name)).FullName;
        var path = Path.Combine(own, "nginx.conf");
        await File.WriteAllTextAsync(
            path,
            $$"""
            {{(Environment.IsPrivilegedProcess ? "user root;" : "")}}
            daemon off;
            worker_processes 1;
            pid {{own}}/nginx.pid;
            events { worker_connections 4096; }
            http {
                access_log off;
                keepalive_requests 1000000000;
                client_body_temp_path {{own}}/n1; proxy_temp_path {{own}}/n2; fastcgi_temp_path {{own}}/n3; uwsgi_temp_path {{own}}/n4; scgi_temp_path {{own}}/n5;
                ssl_certificate {{folder}}/origin.pem;
                ssl_certificate_key {{folder}}/origin.pem;
                ssl_protocols TLSv1.2 TLSv1.3;
                {{servers}}
            }

            """,
            cancellationToken);
        var started = Programs.Start(program, ["-p", own, "-e", "stderr", "-c", path]);
        foreach (var port in ports)
            await BenchOrigin.Answers(port, started, cancellationToken);
        return started;
    }

    /// <summary>Files of this folder, over HTTP/1.1 on one port and HTTP/2 on another.</summary>
    public static string Files(string folder, int port, int http2Port) =>
        $"server {{ listen 127.0.0.1:{port} ssl; root {folder}; }} server {{ listen 127.0.0.1:{http2Port} ssl http2; root {folder}; }}";

    /// <summary>The way to an origin. nginx speaks HTTP/1.1 to upstreams, whatever its client speaks.</summary>
    public static string Reverse(string folder, BenchOrigin origin, int port) =>
        $$"""
        upstream origin { server 127.0.0.1:{{origin.Port}}; keepalive 64; keepalive_requests 1000000000; }
        server {
            listen 127.0.0.1:{{port}} ssl http2;
            location / {
                proxy_pass https://origin;
                proxy_http_version 1.1;
                proxy_set_header Connection "";
                proxy_set_header Host {{BenchOrigin.Host}};
                proxy_set_header Authorization "Bearer sk-bench-real-key-0123456789abcdef";
                proxy_ssl_trusted_certificate {{folder}}/origin-ca.pem;
                proxy_ssl_verify on;
                proxy_ssl_name {{BenchOrigin.Host}};
                proxy_ssl_server_name on;
                proxy_max_temp_file_size 0;
            }
        }
        """;
}
