namespace Centaur.Proxy.Tests.Fixtures.Sources;

/// <summary>
/// A program <c>op</c> that refuses in the words of the real one: other arguments than <c>read --no-newline REFERENCE</c>, no token or a bad one, a reference that is
/// none, and a vault, item or field that is not there. Fields are files. It notes the names of its variables, and hangs where it is told to.
/// </summary>
sealed class FakeOp : IDisposable
{
    public const string Token = "ops_eyJ-service-account-1";

    const string Script = """
        #!/bin/bash
        store=@STORE@
        fail() { echo "[ERROR] 2026/11/21 12:00:00 $1" >&2; exit 1; }
        env | cut -d= -f1 | sort > "$store/variables"
        [[ "$*" != *ops_* ]] || fail "a token among the arguments"
        [[ $# -eq 3 && $1 == read && $2 == --no-newline ]] || fail "unknown command for \"op\""
        [[ -n $OP_SERVICE_ACCOUNT_TOKEN ]] || fail "You are not currently signed in. Please run \`op signin --help\` for instructions"
        [[ $OP_SERVICE_ACCOUNT_TOKEN == ops_* ]] || fail "could not read secret '$3': error initializing client: Validation: (failed to session.DecodeSACredentials), failed to parseToken, format is invalid"
        [[ $OP_SERVICE_ACCOUNT_TOKEN == "$(cat "$store/token")" ]] || fail "could not read secret '$3': error initializing client: (401) (Unauthorized), You aren't authorized to perform this action."
        [[ $3 =~ ^op://([^/]+)/([^/]+)/(([^/]+)/)?([^/]+)$ ]] || fail "could not read secret '$3': invalid secret reference"
        [[ ! -e $store/down ]] || fail "could not read secret '$3': dial tcp: lookup my.1password.com: no such host"
        [[ ! -e $store/flood ]] || { head -c 1000000 /dev/zero; exit 0; }
        if [[ -e $store/hang ]]; then sleep 600 & echo $! > "$store/child.new"; mv "$store/child.new" "$store/child"; wait; fi
        vault=${BASH_REMATCH[1]} item=${BASH_REMATCH[2]} field=${BASH_REMATCH[3]}${BASH_REMATCH[5]}
        [[ -d $store/vaults/$vault ]] || fail "could not read secret '$3': could not get item $vault/$item: \"$vault\" isn't a vault in this account. Specify the vault with its ID or name."
        [[ -d $store/vaults/$vault/$item ]] || fail "could not read secret '$3': could not find item $item in vault $vault"
        [[ -f $store/vaults/$vault/$item/$field ]] || fail "could not read secret '$3': item '$vault/$item' does not have a field '$field'"
        cat "$store/vaults/$vault/$item/$field"
        """;

    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("centaur-fake-op-");

    public FakeOp()
    {
        File.WriteAllText(Program, Script.Replace("@STORE@", folder.FullName, StringComparison.Ordinal));
        File.SetUnixFileMode(Program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.WriteAllText(Path.Combine(folder.FullName, "token"), Token);
    }

    public string Program => Path.Combine(folder.FullName, "op");

    public string[] Variables => File.ReadAllLines(Path.Combine(folder.FullName, "variables"));

    public void Set(string place, string value)
    {
        var file = Path.Combine(folder.FullName, "vaults", place);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, value);
    }

    public void Remove(string place) => File.Delete(Path.Combine(folder.FullName, "vaults", place));

    /// <summary>Tells it to hang, to flood its output, or that 1Password is down.</summary>
    public void Tell(string what) => File.WriteAllText(Path.Combine(folder.FullName, what), "");

    /// <summary>The process that a hanging program started, once it has.</summary>
    public async Task<int> Child(CancellationToken cancellationToken)
    {
        var file = Path.Combine(folder.FullName, "child");
        while (!File.Exists(file))
            await Task.Delay(20, cancellationToken);
        return int.Parse(await File.ReadAllTextAsync(file, cancellationToken), System.Globalization.CultureInfo.InvariantCulture);
    }

    public void Dispose() => folder.Delete(recursive: true);
}
