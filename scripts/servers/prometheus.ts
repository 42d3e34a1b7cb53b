import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installPackage, libraryPath, run, unpackPackage } from './debian.ts';
import { serverFolder } from './folder.ts';
import { startOwn } from './server.ts';

/** A Prometheus that scrapes one address every second. */
export interface PrometheusServer {
  readonly url: string;
  close(): Promise<void>;
}

export interface PrometheusPrograms {
  readonly prometheus: string;
  /** Runs `promtool` with these words; `input` goes to its standard input. */
  readonly promtool: string;
  readonly environment: Readonly<Record<string, string>>;
}

const startLimitMs = 20_000;

export async function startPrometheus(target: string, rules: readonly string[] = []): Promise<PrometheusServer> {
  const { prometheus, environment } = findPrometheus();
  const folder = serverFolder('prometheus', undefined);
  return startOwn(folder, startLimitMs, (port) => {
    const file = join(folder, 'prometheus.yml');
    writeFileSync(
      file,
      JSON.stringify({
        global: { scrape_interval: '1s', evaluation_interval: '1s' },
        rule_files: rules,
        scrape_configs: [{ job_name: 'tollgate', static_configs: [{ targets: [target] }] }],
      }),
    );
    const words = [
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(folder, 'series')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=error',
    ];
    const url = `http://127.0.0.1:${port}`;
    return { words: { program: prometheus, words, environment }, url, answers: () => isReady(url) };
  });
}

async function isReady(url: string): Promise<void> {
  const answer = await fetch(`${url}/-/ready`);
  if (!answer.ok) throw new Error(`Prometheus answers ${answer.status}`);
}

/** In order: the PATH, Debian's package installed, Debian's package unpacked. Throws an error that says how to provide it. */
export function findPrometheus(): PrometheusPrograms {
  const tried: string[] = [];
  const at = (prefix: string, environment: Readonly<Record<string, string>>): PrometheusPrograms | null => {
    const found = { prometheus: `${prefix}prometheus`, promtool: `${prefix}promtool`, environment };
    return run(found.promtool, ['--version'], { environment }).ok ? found : null;
  };
  const inSystem = () => at('', {}) ?? at('/usr/bin/', {});
  const found = inSystem();
  if (found !== null) return found;
  tried.push('no prometheus and promtool on the PATH');
  const installing = installPackage('prometheus');
  const installed = installing === null ? inSystem() : null;
  if (installed !== null) return installed;
  tried.push(`Debian's package: ${installing ?? 'installed, but it does not run'}`);
  const unpacked = unpackPackage('prometheus');
  if ('folder' in unpacked) {
    const { folder } = unpacked;
    const programs = at(`${join(folder, 'usr/bin')}/`, { LD_LIBRARY_PATH: libraryPath(folder) });
    if (programs !== null) return programs;
  }
  tried.push(`Debian's package, unpacked: ${'reason' in unpacked ? unpacked.reason : 'not usable'}`);
  throw new Error(
    [
      'Prometheus is needed and was not found:',
      ...tried.map((line) => `  - ${line}`),
      'Provide it: apt-get install prometheus',
    ].join('\n'),
  );
}
