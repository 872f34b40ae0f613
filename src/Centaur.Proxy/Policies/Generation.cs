using Centaur.Proxy.Postgres;
using Centaur.Proxy.Transforms;

namespace Centaur.Proxy.Policies;

/// <summary>Everything that a change of policy swaps at once. A request takes one when its head has been read, and keeps it to its end.</summary>
/// <param name="Policy">What may be reached, and what is done to requests.</param>
/// <param name="Runtime">The values that its names stand for. The same name may stand for another value in the next generation.</param>
/// <param name="Postgres">The databases; null where none are served.</param>
sealed record Generation(PolicyModel Policy, TransformRuntime Runtime, PostgresModel? Postgres);
