namespace Centaur.Runner.Call;

/// <summary><c>centaur-runner call …</c>: the agent's way to the API and, with it, to its thread. <c>call</c> on the jail's path is this.</summary>
internal static class CallProgram
{
    const string Help = """
        usage: call COMMAND
          call health                 Is the API there?
          call messages [--limit N]   The messages of this thread, as JSON.
        """;

    /// <summary>Exit codes: 0 done, 1 the call failed (the output says why, as JSON), 2 no such command.</summary>
    public static async Task<int> Run(string[] words)
    {
        if (words is [] or ["help"] or ["--help"])
        {
            Console.WriteLine(Help);
            return words.Length == 0 ? 2 : 0;
        }

        var surroundings = CallSurroundings.Read();
        if (Route(words, surroundings) is not { } route)
        {
            await Console.Error.WriteLineAsync($"call: no such command: {string.Join(' ', words)}\n{Help}");
            return 2;
        }

        using var client = new CallClient(surroundings);
        var answer = await client.Get(route, CancellationToken.None);
        Console.WriteLine(answer.Text);
        return answer.Succeeded ? 0 : 1;
    }

    static string? Route(string[] words, CallSurroundings surroundings) => words switch
    {
        ["health"] => "/health",
        ["messages" or "message" or "thread"] or ["message", "thread"] => Messages(surroundings),
        ["messages" or "message" or "thread", "--limit", var limit] when int.TryParse(limit, out var count) && count > 0 => $"{Messages(surroundings)}&limit={count}",
        _ => null,
    };

    static string Messages(CallSurroundings surroundings) => $"/agent/messages?thread_key={Uri.EscapeDataString(surroundings.ThreadKey ?? "")}";
}
