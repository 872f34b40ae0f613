using Centaur.Bench;
using Centaur.Bench.Egress;
using Centaur.Bench.Events;
using Centaur.Bench.Sandboxes;
using Centaur.Bench.Spawns;
using Centaur.Bench.Startup;
using Centaur.Bench.Streams;
using Centaur.Bench.Turns;

// One line a benchmark; a name is what `./centaur bench NAME` takes.
IReadOnlyDictionary<string, IBench> benches = new SortedDictionary<string, IBench>(StringComparer.Ordinal)
{
    ["events"] = new EventsBench(),
    ["proxy"] = new ProxyBench(),
    ["sandbox"] = new SandboxBench(),
    ["spawn"] = new SpawnBench(),
    ["sse"] = new StreamBench(),
    ["startup"] = new StartupBench(),
    ["turn"] = new TurnBench(),
};

return await BenchRun.Of(benches, args, Console.Out, Console.Error, CancellationToken.None);
