using Centaur.Runner.Call;
using Centaur.Runner.Init;
using Centaur.Runner.Keep;

return args switch
{
    ["init", var control, var processes] => InitProgram.Run(int.Parse(control), int.Parse(processes)),
    ["keep", "--spec", var spec] => await KeepProgram.Run(spec, replayOnly: false),
    ["keep", "--spec", var spec, "--replay-only"] => await KeepProgram.Run(spec, replayOnly: true),
    ["call", .. var words] => await CallProgram.Run(words),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("usage: centaur-runner keep --spec FILE [--replay-only] | init CONTROL PROCESSES | call COMMAND …");
    return 2;
}
