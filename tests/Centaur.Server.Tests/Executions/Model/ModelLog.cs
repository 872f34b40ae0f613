using Centaur.Server.Executions;
using Microsoft.Extensions.Logging;

namespace Centaur.Server.Tests.Executions.Model;

/// <summary>What a worker says of its turns. A turn that is failed for a fault of the server's own ends as any other does, so only here it is seen that there was one.</summary>
internal sealed class ModelLog(Action<string> report) : ILogger<ExecutionRun>
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Critical;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel) && exception is not ModelDeath)
            report($"{formatter(state, exception)}: {exception}");
    }
}
