using System.Text;
using Centaur.Proxy.Secrets;
using Shouldly;
using Xunit;

namespace Centaur.Proxy.Tests.Secrets;

public sealed class SecretVaultTests
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task P30_a_value_that_was_taken_back_is_used_no_more_and_searched_for_still()
    {
        var source = new OneValue("first-value-0123");
        var vault = new SecretVault(source, TimeProvider.System);
        await vault.Get("KEY", "PLACEHOLDER", Token);

        vault.Drop("KEY");
        source.Value = "second-value-0123";

        Clean(vault, "an echo of first-value-0123").ShouldBe("an echo of PLACEHOLDER");
        Encoding.UTF8.GetString((await vault.Get("KEY", "PLACEHOLDER", Token)).Secret!.Bytes).ShouldBe("second-value-0123");
        Clean(vault, "first-value-0123 second-value-0123").ShouldBe("PLACEHOLDER PLACEHOLDER");
    }

    static string Clean(SecretVault vault, string text)
    {
        long scrubbed = 0;
        return vault.Scan!.Clean(text, ref scrubbed);
    }

    sealed class OneValue(string value) : ISecretSource
    {
        public string Value { get; set; } = value;

        public Task<SecretFetch> Fetch(string name, CancellationToken cancellationToken) =>
            Task.FromResult(SecretFetch.Of(new Secret(name, Encoding.UTF8.GetBytes(Value)), TimeSpan.FromMinutes(1)));
    }
}
