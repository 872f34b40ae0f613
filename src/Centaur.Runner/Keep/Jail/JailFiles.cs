using Centaur.Protocol.Sandbox;

namespace Centaur.Runner.Keep.Jail;

/// <summary>
/// The small files that a jail sees read-only: who lives there, how names resolve, whom TLS trusts. The certificate files are made empty and filled in place when
/// the proxy has its authority, so that the jail can be built meanwhile.
/// </summary>
internal sealed class JailFiles(string folder)
{
    const string SystemBundle = "/etc/ssl/certs/ca-certificates.crt";

    public string Passwd => $"{folder}/passwd";
    public string Group => $"{folder}/group";
    public string Hosts => $"{folder}/hosts";
    public string NameServices => $"{folder}/nsswitch.conf";
    public string CaCertificate => $"{folder}/ca.pem";
    public string CaBundle => $"{folder}/ca-certificates.crt";
    public string Empty => $"{folder}/empty";
    public string Call => $"{folder}/call";

    public void Write()
    {
        Directory.CreateDirectory(folder, KeeperFolders.Public);
        Put(Passwd, "root:x:0:0:root:/:/usr/sbin/nologin\nagent:x:1000:1000:agent:/home/agent:/bin/bash\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n");
        Put(Group, "root:x:0:\nagent:x:1000:\nnogroup:x:65534:\n");
        Put(Hosts, $"127.0.0.1 localhost sandbox\n::1 localhost\n{JailPaths.DatabaseAddress} {JailPaths.DatabaseHost}\n");

        // No resolver: names are the proxy's business.
        Put(NameServices, "passwd: files\ngroup: files\nhosts: files\n");
        Put(Empty, "");
        Put(CaCertificate, "");
        Put(CaBundle, "");
        Put(Call, $"#!/bin/sh\nDOTNET_EnableDiagnostics=0 exec {JailPaths.Runner} call \"$@\"\n");
        File.SetUnixFileMode(Call, KeeperFolders.PublicFolder);
    }

    /// <param name="certificate">PEM of the sandbox's certificate authority.</param>
    public void Publish(string certificate)
    {
        Put(CaCertificate, certificate);
        var system = File.Exists(SystemBundle) ? File.ReadAllText(SystemBundle) : "";
        Put(CaBundle, $"{system}\n{certificate}\n");
    }

    static void Put(string path, string content)
    {
        File.WriteAllText(path, content);
        File.SetUnixFileMode(path, KeeperFolders.PublicFile);
    }
}
