namespace Centaur.Proxy.Hosting;

/// <summary>What <c>--help</c> prints.</summary>
static class Usage
{
    public const string Text = """
        centaur-proxy: the way out of a sandbox, and the broker of its secrets

          centaur-proxy --config proxy.yaml
              A stand-alone proxy: listeners, allowlist, secrets, transforms, databases (postgres) and map from a file (docs/proxy.md).
              SIGHUP reads the file again.

          centaur-proxy sandbox [postgres]
              The proxy of one sandbox, on descriptors that its keeper opened (3 listener, 4 control, 5 certificate authority, 6 audit, and with
              "postgres" 7, the listener for databases).

          centaur-proxy broker --secrets-folder DIR --control-socket PATH --fetch-socket PATH [--user UID] [--ttl SECONDS] [--config FILE]
              The broker of one machine: hands each proxy the values that it was granted. The section "secrets" of FILE says where
              Vault, 1Password and Kubernetes keep them.
        """;
}

/// <summary>The command line or the configuration is wrong; the message says what and where.</summary>
sealed class UsageException(string message) : Exception(message);
