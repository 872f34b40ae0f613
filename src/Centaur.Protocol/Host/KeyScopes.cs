namespace Centaur.Protocol.Host;

/// <summary>What an API key may be given, in the order in which people read about it: the server checks it, the command line explains it.</summary>
public static class KeyScopes
{
    public static IReadOnlyList<KeyScope> All { get; } =
    [
        new("*", "everything"),
        new("admin", "API keys, secrets, which models can be asked: the routes below /admin"),
        new("agent", "all of agent:<name>: threads, messages, executions, uploads"),
        new("agent:<name>", "a part of agent. execute: ask, and read one thread. status: list threads. stop: end sandboxes"),
        new("threads", "nothing today: reading threads needs agent, or agent:execute and agent:status"),
        new("tools:<name>", "the tool of this name; tools:* for all"),
        new("workflows", "all workflows"),
        new("workflows:<name>", "the workflow of this name"),
        new("bundle:<name>", "nothing today: accepted for clients that ask for it"),
    ];
}

/// <param name="Name">As it is given; <c>&lt;name&gt;</c> stands for a name.</param>
/// <param name="Meaning">What it permits, in plain words.</param>
public sealed record KeyScope(string Name, string Meaning);
