using System.Collections.Concurrent;
using System.Globalization;

namespace Centaur.Proxy.Logging;

/// <summary>One line a message on standard error: smaller than the console logger, and without its queue and thread.</summary>
sealed class StandardError(LogLevel least) : ILoggerProvider
{
    static readonly Lock Turn = new();

    readonly ConcurrentDictionary<string, ILogger> loggers = new(StringComparer.Ordinal);

    public ILogger CreateLogger(string categoryName) => loggers.GetOrAdd(categoryName, name => new Lines(name, least));

    public void Dispose()
    {
    }

    sealed class Lines(string category, LogLevel least) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        // Kestrel's own messages may quote what a client sent.
        public bool IsEnabled(LogLevel logLevel) => logLevel >= (category.StartsWith("Microsoft", StringComparison.Ordinal) ? LogLevel.Error : least);

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel))
                return;
            var time = TimeProvider.System.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
            var cause = exception is null ? "" : $" ({exception.GetType().Name})";
            lock (Turn)
                Console.Error.WriteLine($"{time} {logLevel.ToString().ToLowerInvariant()} {formatter(state, exception)}{cause}");
        }
    }
}
