using Centaur.Runner.BuiltIn;

return args switch
{
    ["agent", .. var words] => await AgentProgram.Run(words),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("usage: centaur-runner agent [--resume SESSION]");
    return 2;
}
