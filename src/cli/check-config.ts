import { Command } from 'commander';

/** `tollgate check-config FILE`: what a configuration means, without starting anything. */
export function checkConfigCommand(): Command {
  return new Command('check-config')
    .description('read a configuration, say what is wrong with it, and show the routing it makes')
    .argument('<file>', 'the configuration file')
    .option('--json', 'print JSON for programs')
    .action(async (file: string, options: { json?: boolean }) => {
      // Loaded late: the other commands should not wait for schemas and price lists.
      const [{ systemClock }, { checkConfig }, { systemEnvironment }, { providerDirectory }] = await Promise.all([
        import('../adapters/system-clock.ts'),
        import('../config/check.ts'),
        import('../config/environment.ts'),
        import('../providers/index.ts'),
      ]);
      const result = checkConfig(file, systemEnvironment(), {
        directory: providerDirectory,
        date: systemClock().now(),
      });
      process.stdout.write(options.json ? `${JSON.stringify(result.json, null, 2)}\n` : result.text);
      process.exitCode = result.exitCode;
    });
}
