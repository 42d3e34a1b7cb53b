import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addressFault, allowedAddresses } from '../../src/config/allowed-addresses.ts';
import { principal } from '../builders.ts';
import { type FakeProvider, startFakeProvider } from '../fake-provider/index.ts';
import { type GatewayRig, startGatewayRig } from './gateway-rig.ts';
import { deployment } from './support/config-text.ts';

/* What an operator demands of every request: where it comes from, what it must say, what it may not. */

let fake: FakeProvider;
let rig: GatewayRig;

beforeAll(async () => {
  fake = await startFakeProvider();
  rig = await startGatewayRig(`model_list:
${deployment('m', fake.url, 'openai/some-model', { input_cost_per_token: 0, output_cost_per_token: 0 })}
general_settings:
  allowed_ips: [10.1.0.0/16, "2001:db8::/32", 127.0.0.1]
  use_x_forwarded_for: true
  enforced_params: [metadata.ticket]
  reject_clientside_metadata_tags: true
  user_header_mappings:
    - {header_name: X-Customer, litellm_user_role: customer}
    - {header_name: X-Colleague, litellm_user_role: internal_user}
  user_header_name: X-User
`);
  const key = principal({ enforcedParams: ['seed'] });
  Object.assign(rig.gateway, { principals: { ...rig.gateway.principals, find: () => key } });
});
afterAll(async () => {
  await rig.close();
  await fake.close();
});

const good = { seed: 1, metadata: { ticket: 'T-1' } };

async function ask(body: Record<string, unknown>, headers: Record<string, string> = {}) {
  const answer = await rig.chat(body, { headers: { authorization: 'Bearer sk-somebody', ...headers } });
  const json = (await answer.json()) as { error?: { message: string; param: string } };
  return { status: answer.status, message: json.error?.message, param: json.error?.param };
}

describe('addresses', () => {
  it('let in who is on the list, by address and by network, behind a balancer too', async () => {
    expect((await ask(good)).status).toBe(200);
    expect((await ask(good, { 'x-forwarded-for': '10.1.2.3, 10.9.9.9' })).status).toBe(200);
    expect((await ask(good, { 'x-forwarded-for': '2001:db8::7' })).status).toBe(200);
    const denied = await ask(good, { 'x-forwarded-for': '10.2.0.1' });
    expect([denied.status, denied.message]).toEqual([403, 'Access forbidden: IP address not allowed.']);
    expect((await ask(good, { 'x-forwarded-for': 'nonsense' })).status).toBe(403);
    expect(rig.records.at(-1)).toMatchObject({ status: 'denied', errorCode: 'address_denied' });
    // The master key does not open another door.
    expect((await rig.chat(good, { headers: { 'x-forwarded-for': '10.2.0.1' } })).status).toBe(403);
  });

  it('are told apart from what is none', () => {
    expect(['10.0.0.7', '10.0.0.0/8', '::1', '2001:db8::/32'].map(addressFault)).toEqual([null, null, null, null]);
    for (const wrong of ['10.0.0', '10.0.0.0/33', 'localhost', '', '10.0.0.0/x'])
      expect(addressFault(wrong)).not.toBeNull();
    expect(allowedAddresses(undefined)).toBeNull();
    expect(allowedAddresses(['127.0.0.1'])!('::ffff:127.0.0.1')).toBe(true);
    expect(allowedAddresses([])!('127.0.0.1')).toBe(false);
  });
});

describe('fields', () => {
  it('that are demanded must be there, by the gateway and by the key; the master key is free', async () => {
    expect(await ask({ seed: 1 })).toMatchObject({ status: 400, param: 'metadata.ticket' });
    expect(await ask({ metadata: { ticket: 'T-1' } })).toMatchObject({ status: 400, param: 'seed' });
    expect((await ask({ ...good, metadata: { ticket: '' } })).status).toBe(400);
    expect((await ask({ seed: 1, litellm_metadata: { ticket: 'T-1' } })).status).toBe(200);
    expect((await rig.chat()).status).toBe(200);
  });

  it('that set tags are refused where the operator says so', async () => {
    expect(await ask({ ...good, tags: ['mine'] })).toMatchObject({ status: 400, param: 'metadata.tags' });
    expect((await ask(good, { 'x-litellm-tags': 'mine' })).status).toBe(400);
  });
});

describe('the end user', () => {
  it('comes from the mapped headers of customers, then from the plain one, then from the body', async () => {
    const told = async (body: object, headers: Record<string, string>) => {
      await ask({ ...good, ...body }, headers);
      return rig.records.at(-1)?.endUserId;
    };
    expect(await told({ user: 'body' }, { 'x-user': 'plain', 'x-customer': 'mapped' })).toBe('mapped');
    expect(await told({ user: 'body' }, { 'x-user': 'plain', 'x-colleague': 'kim' })).toBe('plain');
    expect(await told({ user: 'body' }, { 'x-colleague': 'kim' })).toBe('body');
  });
});
