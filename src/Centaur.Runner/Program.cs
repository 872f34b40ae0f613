using System.Globalization;
using Centaur.Runner.BuiltIn;
using Centaur.Runner.Call;
using Centaur.Runner.Init;
using Centaur.Runner.Keep;

return args switch
{
    ["keep", "--spec", var spec] => await KeepProgram.Run(spec, replayOnly: false),
    ["keep", "--spec", var spec, "--replay-only"] => await KeepProgram.Run(spec, replayOnly: true),
    ["init", var control, var processes] => InitProgram.Run(int.Parse(control, CultureInfo.InvariantCulture), int.Parse(processes, CultureInfo.InvariantCulture)),
    ["agent", .. var words] => await AgentProgram.Run(words),
    ["call", .. var words] => await CallProgram.Run(words),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("usage: centaur-runner keep --spec FILE [--replay-only] | init CONTROL PROCESSES | agent [--resume SESSION] | call COMMAND …");
    return 2;
}
