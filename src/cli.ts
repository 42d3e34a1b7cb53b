import { Command, CommanderError } from 'commander';
import { AdminRequestError } from './adapters/admin-client.ts';
import { benchCommand } from './cli/bench.ts';
import { checkConfigCommand } from './cli/check-config.ts';
import { costCommand } from './cli/cost.ts';
import { demoCommand } from './cli/demo.ts';
import { exportCommand } from './cli/export.ts';
import { keysCommand } from './cli/keys.ts';
import { migrateCommand } from './cli/migrate.ts';
import { simulateRoutingCommand } from './cli/simulate-routing.ts';
import { isStartOption, startCommand } from './cli/start.ts';
import { storeCommand } from './cli/store.ts';
import { version } from './cli/version.ts';

const program = new Command('tollgate')
  .description('A self-hosted AI gateway: one URL in front of every model.')
  .version(version)
  .showHelpAfterError('(add --help for the options)')
  .exitOverride();

program.addCommand(startCommand());
program.addCommand(checkConfigCommand());
program.addCommand(keysCommand());
program.addCommand(migrateCommand());
program.addCommand(storeCommand());
program.addCommand(exportCommand());
program.addCommand(costCommand());
program.addCommand(simulateRoutingCommand());
program.addCommand(demoCommand());
program.addCommand(benchCommand());
for (const command of program.commands) inherit(command);

/** `--config FILE --port N` without a command means start: container images are written that way. */
const words = process.argv.slice(2);
const first = words[0];
if (first === undefined || (first.startsWith('-') && isStartOption(first))) words.unshift('start');

try {
  await program.parseAsync(words, { from: 'user' });
} catch (cause) {
  process.exitCode = report(cause);
}

function inherit(command: Command): void {
  command.exitOverride().showHelpAfterError('(add --help for the options)');
  for (const inner of command.commands) inherit(inner);
}

/** One sentence on standard error for what went wrong; never a stack for what the caller can mend. */
function report(cause: unknown): number {
  if (cause instanceof CommanderError) return cause.exitCode;
  if (cause instanceof AdminRequestError && cause.status !== null) {
    console.error(`tollgate: the gateway refused (${cause.status}): ${cause.message}`);
  } else {
    console.error(`tollgate: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
  return 1;
}
