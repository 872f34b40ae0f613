using Centaur.Cli;
using Centaur.Cli.Commands;

return await CentaurCommand.Run(args, CliContext.OfThisProcess());
