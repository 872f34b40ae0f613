using System.Text;
using Centaur.Protocol.Broker;

namespace Centaur.Proxy.Sources;

/// <summary>Variables of the program's own environment, but for those that it logs in with.</summary>
/// <param name="environment">The environment as it was at the start.</param>
sealed class EnvironmentSource(IReadOnlyDictionary<string, string> environment) : IValueSource
{
    public Task<SourceAnswer> Read(string reference, CancellationToken cancellationToken) => Task.FromResult(Read(reference));

    SourceAnswer Read(string variable)
    {
        if (SourceVariables.Tokens.Contains(variable))
            return SourceAnswer.Forbidden("that variable is what the broker itself logs in with");
        return environment.TryGetValue(variable, out var value) && value.Length > 0
            ? SourceAnswer.Of(Encoding.UTF8.GetBytes(value))
            : SourceAnswer.Missing("the variable is not set where the values are read");
    }
}
