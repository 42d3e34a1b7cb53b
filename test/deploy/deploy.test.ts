import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadConfigText } from '../../src/config/load.ts';
import { renderChart } from './chart.ts';

const root = resolve(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const chart = join(root, 'deploy/helm/tollgate');

const environment = {
  LITELLM_MASTER_KEY: 'sk-x',
  DATABASE_URL: 'postgresql://u:p@h/d',
  OPENAI_API_KEY: 'k',
  REDIS_PASSWORD: 'r',
};

/** A manifest, loosely. */
// biome-ignore lint/suspicious/noExplicitAny: the shape is Kubernetes's, and the test says what matters of it
type Manifest = any;

describe('compose', () => {
  it('differs from the reference file by the image line alone', () => {
    const ours = read('deploy/docker-compose.yml').split('\n');
    const reference = read('test/deploy/fixtures/reference-compose.yml').split('\n');
    expect(ours.length).toBe(reference.length);
    const different = ours.filter((line, at) => line !== reference[at]);
    expect(different).toHaveLength(1);
    expect(different[0]).toMatch(/^ {4}image: \S*tollgate\S*$/);
  });

  it('has the services, health checks and secrets of the reference deployment', () => {
    const { services } = parse(read('deploy/docker-compose.yml')) as Manifest;
    expect(services.litellm.depends_on.postgres.condition).toBe('service_healthy');
    expect(services.postgres.image).toBe('postgres:15');
    expect(services.postgres.healthcheck.test.join(' ')).toContain('pg_isready');
    expect(services.redis.image).toBe('redis:7-alpine');
    expect(services.redis.command).toContain('--requirepass');
    const secrets = read('deploy/.env.example').matchAll(/^(\w+)=/gm);
    const used = [...new Set([...read('deploy/docker-compose.yml').matchAll(/\$\{(\w+)\}/g)].map((found) => found[1]))];
    expect([...secrets].map((found) => found[1]).sort()).toEqual(used.sort());
  });

  it('mounts a configuration that is valid', () => {
    const { diagnostics } = loadConfigText(read('deploy/config.yaml'), 'config.yaml', environment);
    expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  });

  it('parses with the hardening on top', () => {
    const { services } = parse(read('deploy/docker-compose.hardened.yml')) as Manifest;
    expect(services.litellm).toMatchObject({ read_only: true, cap_drop: ['ALL'] });
  });
});

describe('image', () => {
  const dockerfile = read('deploy/Dockerfile');

  it('copies what exists and what the build context holds', () => {
    const kept = read('.dockerignore').matchAll(/^!(\S+)$/gm);
    const context = [...kept].map((found) => found[1]);
    const sources = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap((found) => found[1]!.split(' '));
    expect(sources.length).toBeGreaterThan(4);
    for (const source of sources) {
      expect(existsSync(join(root, source)), source).toBe(true);
      expect(context, source).toContain(source);
    }
  });

  it('holds everything that the program imports', () => {
    const { dependencies } = JSON.parse(read('package.json')) as { dependencies: Record<string, string> };
    expect(Object.keys(dependencies)).toContain('pg');
    expect(dockerfile).toContain('npm ci --omit=dev');
  });

  it('runs without rights, with a health check, and takes the flags of other images', () => {
    expect(dockerfile).toMatch(/^FROM node:24/m);
    expect(dockerfile).toMatch(/^USER 1000:1000$/m);
    expect(dockerfile).toMatch(/^VOLUME \/data$/m);
    const entry = JSON.parse(/^ENTRYPOINT (.+)$/m.exec(dockerfile)![1]!) as string[];
    const program = entry[1]!.replace('/opt/tollgate', root);
    const { status, stderr } = spawnSync(process.execPath, [program, '--config', '/nowhere.yaml', '--port', '4000'], {
      encoding: 'utf8',
    });
    expect(status).toBe(1);
    expect(stderr).toContain('/nowhere.yaml');
  });

  it('has a health check that tells ready from not ready', () => {
    const words = JSON.parse(/^HEALTHCHECK .* CMD (.+)$/m.exec(dockerfile)![1]!) as string[];
    const run = (server: string) =>
      spawnSync(
        process.execPath,
        [
          '-e',
          `const server = require('node:http').createServer((request, response) => { response.statusCode = request.url === '/health/readiness' ? ${server} : 404; response.end(); });
           server.listen(0, '127.0.0.1', () => {
             const child = require('node:child_process').spawn(process.execPath, ${JSON.stringify(words.slice(1))}, { env: { PORT: server.address().port } });
             child.on('exit', (code) => process.exit(code));
           });`,
        ],
        { encoding: 'utf8' },
      ).status;
    expect(run('200')).toBe(0);
    expect(run('503')).toBe(1);
  });
});

describe('chart', () => {
  it('renders to manifests that fit together', () => {
    const manifests = renderChart(chart);
    const set = manifests.get('statefulset.yaml') as Manifest;
    const pod = set.spec.template;
    const [container] = pod.spec.containers;
    expect(set.spec.replicas).toBeUndefined();
    expect(pod.metadata.labels).toMatchObject(set.spec.selector.matchLabels);
    expect((manifests.get('service.yaml') as Manifest).spec.selector).toEqual(set.spec.selector.matchLabels);
    expect((manifests.get('poddisruptionbudget.yaml') as Manifest).spec).toEqual({
      maxUnavailable: 1,
      selector: set.spec.selector,
    });
    expect((manifests.get('horizontalpodautoscaler.yaml') as Manifest).spec.scaleTargetRef).toEqual({
      apiVersion: set.apiVersion,
      kind: set.kind,
      name: set.metadata.name,
    });
    expect((manifests.get('service-headless.yaml') as Manifest).metadata.name).toBe(set.spec.serviceName);
    expect((manifests.get('serviceaccount.yaml') as Manifest).metadata.name).toBe(pod.spec.serviceAccountName);
    expect(container.image).toBe('tollgate:0.1.0');
    expect(container.securityContext).toMatchObject({ readOnlyRootFilesystem: true, allowPrivilegeEscalation: false });
    expect(container.envFrom).toEqual([{ secretRef: { name: 'tollgate' } }]);
    for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe']) {
      expect(container[probe].httpGet.port).toBe(container.ports[0].name);
    }
    const volumes = [...pod.spec.volumes, ...set.spec.volumeClaimTemplates.map((claim: Manifest) => claim.metadata)];
    expect(container.volumeMounts.map((mount: Manifest) => mount.name).sort()).toEqual(
      volumes.map((volume: Manifest) => volume.name).sort(),
    );
  });

  it('gives running requests the time that the configuration promises', () => {
    const manifests = renderChart(chart);
    const text = (manifests.get('configmap.yaml') as Manifest).data['config.yaml'] as string;
    const { config, diagnostics } = loadConfigText(text, 'config.yaml', environment);
    expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
    const { terminationGracePeriodSeconds } = (manifests.get('statefulset.yaml') as Manifest).spec.template.spec;
    const drainSeconds = (parse(text) as Manifest).general_settings.drain_timeout_seconds;
    expect(terminationGracePeriodSeconds).toBeGreaterThan(drainSeconds + 5);
    expect(config).toBeDefined();
  });

  it('follows its values', () => {
    const manifests = renderChart(chart, {
      autoscaling: { enabled: false },
      persistence: { enabled: false },
      env: { LITELLM_LOG: 'debug', WORDS: 'a "b" 1' },
      image: { tag: 'v2' },
    });
    expect(manifests.has('horizontalpodautoscaler.yaml')).toBe(false);
    const set = manifests.get('statefulset.yaml') as Manifest;
    expect(set.spec.replicas).toBe(3);
    expect(set.spec.volumeClaimTemplates).toBeUndefined();
    expect(set.spec.template.spec.volumes).toContainEqual({ name: 'data', emptyDir: {} });
    const [container] = set.spec.template.spec.containers;
    expect(container.image).toBe('tollgate:v2');
    expect(container.env).toContainEqual({ name: 'WORDS', value: 'a "b" 1' });
  });

  it('holds no secret', () => {
    for (const file of ['values.yaml', 'templates/statefulset.yaml', 'templates/configmap.yaml']) {
      expect(readFileSync(join(chart, file), 'utf8')).not.toMatch(/sk-\w|password: \S/);
    }
  });

  it('renders the same with helm, where there is one', () => {
    const { status, stdout, stderr, error } = spawnSync('helm', ['template', 'gate', chart], { encoding: 'utf8' });
    if (error !== undefined) {
      expect((error as NodeJS.ErrnoException).code).toBe('ENOENT');
      return;
    }
    expect(status, stderr).toBe(0);
    const byHelm = stdout.split(/^---$/m).map((text) => parse(text) as Manifest);
    for (const manifest of renderChart(chart).values()) expect(byHelm).toContainEqual(manifest);
  });
});
