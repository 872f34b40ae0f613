using Centaur.Proxy.Secrets;
using Centaur.Proxy.Transforms.Tokens;

namespace Centaur.Proxy.Transforms;

/// <summary>What transforms work with that lives longer than a request and than a policy.</summary>
sealed record TransformRuntime(SecretVault Vault, TokenCache Tokens, TimeProvider Time);
