import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';

/** `tollgate bench`: the measurements of the repository, from the command line. */
export function benchCommand(): Command {
  return new Command('bench')
    .description('measure the gateway against a bare upstream and a bare proxy on this machine')
    .argument('[words...]', 'options of the benchmark; `tollgate bench -- --help` lists them')
    .allowUnknownOption()
    .action(async (words: string[]) => {
      const entry = fileURLToPath(new URL('../../bench/main.ts', import.meta.url));
      if (!existsSync(entry))
        throw new Error('the benchmark comes with the repository, not with the package: clone it to measure');
      const child = spawn(process.execPath, [entry, ...words], { stdio: 'inherit' });
      process.exitCode = await new Promise<number>((done) => child.once('exit', (code) => done(code ?? 1)));
    });
}
