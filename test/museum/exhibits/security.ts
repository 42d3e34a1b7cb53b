import type { Exhibit } from '../exhibit.ts';

const doors = ['test/journeys/doors.test.ts'];
const connection = 'src/gateway/call/caller-connection.ts';

/** Keys, tenants, secrets. */
export const securityExhibits: readonly Exhibit[] = [
  {
    name: 'keys that begin alike are the same key',
    seen: 'CVE-2026-35030: a cache keyed by token[:20]',
    file: 'src/gateway/access/credential.ts',
    changes: [{ find: "hash('sha256', key, 'hex')", replace: "hash('sha256', key.slice(0, 20), 'hex')" }],
    tests: ['src/gateway/access/credential.test.ts'],
  },
  {
    name: 'one tenant reads another tenant’s cached answers',
    seen: 'market practice: a cache key without the tenant',
    file: 'src/gateway/cache/cache-key.ts',
    changes: [{ find: '[tenant(exchange, settings), namespace,', replace: '[namespace,' }],
    tests: ['src/gateway/cache/cache-key.test.ts'],
  },
  {
    name: 'a caller sends the request to an address of its own',
    seen: 'CVE-2024-6587',
    file: connection,
    changes: [
      {
        find: '  for (const field of fields) if (!allowed(exchange, deployment, field, connection[field] as string)) refuse(field);\n',
        replace: '',
      },
    ],
    tests: doors,
    only: 'own address and key',
  },
  {
    name: 'the operator’s credential travels to an address that a caller chose',
    seen: 'CVE-2024-6587',
    file: connection,
    changes: [
      {
        find: 'if (apiKey === undefined && baseUrl !== undefined && baseUrl !== deployment.apiBase) {',
        replace:
          'if (apiKey === undefined && baseUrl !== undefined) {\n' +
          '    return { ...deployment.endpoint, origin: new URL(baseUrl).origin };\n  }\n  if (apiKey === baseUrl) {',
      },
    ],
    tests: doors,
    only: 'own address and key',
  },
  {
    name: 'a secret that a provider repeats stands in the error',
    seen: '#24902, #5762, #27188',
    file: 'src/gateway/call/provider-error.ts',
    changes: [
      {
        find: 'const clean = scrub(message, secrets);',
        replace: 'const clean = secrets.length < 0 ? scrub(message, secrets) : message;',
      },
    ],
    tests: doors,
    only: 'secrets that a provider repeats',
  },
  {
    name: 'the log prints a credential',
    seen: '#24902',
    file: 'src/adapters/telemetry/log.ts',
    changes: [{ find: 'target.write(scrub(line, options.secrets()))', replace: 'target.write(line)' }],
    tests: ['src/adapters/telemetry/log.test.ts'],
  },
  {
    name: 'a fallback leads to a model that the key may not use',
    seen: 'CVE-2026-12797',
    file: 'src/gateway/plan.ts',
    changes: [{ find: 'name !== except && isAllowed(identified, name)', replace: 'name !== except' }],
    tests: ['src/gateway/plan.test.ts'],
  },
  {
    name: 'one list on the chain is enough to allow a model',
    seen: 'market practice: the most generous list wins',
    file: 'src/gateway/access/model-access.ts',
    changes: [
      {
        find: 'if (rule.models.length > 0 && !allows(rule, principal, names, snapshot)) return rule;',
        replace: 'if (rule.models.length > 0) return allows(rule, principal, names, snapshot) ? null : rule;',
      },
    ],
    tests: ['src/gateway/plan.test.ts'],
  },
  {
    name: 'an expired key works',
    seen: 'market practice: expiry checked only when the key is first cached',
    file: 'src/gateway/authenticate.ts',
    changes: [{ find: 'principal.expiresAt <= now) {', replace: 'principal.expiresAt <= 0 * now) {' }],
    tests: ['src/gateway/authenticate.test.ts'],
  },
];
