import { z } from 'zod';
import { notFound } from '../../admin/authorize.ts';
import type { Endpoint } from '../../admin/contract.ts';
import { endpoint } from '../../admin/contract.ts';
import type { ControlPlane } from '../../admin/control-plane.ts';
import { credentialResource } from '../../admin/credential.ts';
import { mutate } from '../../admin/resource.ts';
import { sealAll } from '../../admin/sealed-params.ts';
import type { JsonObject } from '../../core/json.ts';
import type { CredentialRecord } from '../../core/store.ts';
import { identifier, tree } from './fields.ts';

const tag = 'credentials';
const hidden = '********';

const credentialOutput = z.object({
  credential_name: z.string(),
  /** Names with masked values. */
  credential_values: z.record(z.string(), z.literal(hidden)),
  credential_info: z.record(z.string(), z.unknown()),
});
const done = z.object({ success: z.boolean(), message: z.string() });

/** Named connection settings; their values go in and never come out. */
export function credentialEndpoints(plane: ControlPlane): Endpoint[] {
  return [
    endpoint('POST /credentials', {
      access: 'admin',
      tag,
      summary: 'Store a credential, encrypted.',
      body: z.object({ credential_name: identifier, credential_values: tree, credential_info: tree.nullish() }),
      response: done,
      async run({ actor, body }) {
        const id = body.credential_name;
        await mutate(plane, actor, (work) =>
          work.create(credentialResource, {
            id,
            values: sealAll(body.credential_values, plane.vault, id),
            details: body.credential_info ?? {},
            extra: {},
          }),
        );
        await plane.reloadModels();
        return { success: true, message: 'Credential created successfully' };
      },
    }),
    endpoint('GET /credentials', {
      access: 'admin_read',
      tag,
      summary: 'Every credential, without its values.',
      response: z.object({ success: z.boolean(), credentials: z.array(credentialOutput) }),
      run: async () => ({
        success: true,
        credentials: (await plane.store.credentials.list({ orderBy: 'id', limit: 10_000 })).map(shownCredential),
      }),
    }),
    endpoint('GET /credentials/by_name/{name}', {
      access: 'admin_read',
      tag,
      summary: 'One credential, without its values.',
      response: credentialOutput,
      async run({ params }) {
        const row = await plane.store.credentials.get(params.name!);
        if (row === undefined) throw notFound('credential', params.name!);
        return shownCredential(row);
      },
    }),
    endpoint('GET /credentials/by_model/{model_id}', {
      access: 'admin_read',
      tag,
      summary: 'The credential that a deployment uses, without its values.',
      response: credentialOutput,
      async run({ params }) {
        const deployment = plane.snapshot().deployments.get(params.model_id!);
        const name = deployment?.publicParams.litellm_credential_name;
        const row = typeof name === 'string' ? await plane.store.credentials.get(name) : undefined;
        if (row === undefined) throw notFound('credential', params.model_id!);
        return shownCredential(row);
      },
    }),
    endpoint('PATCH /credentials/{name}', {
      access: 'admin',
      tag,
      summary: 'Change a credential: values given are merged in.',
      body: z.object({ credential_values: tree.nullish(), credential_info: tree.nullish() }),
      response: done,
      async run({ actor, body, params }) {
        const id = params.name!;
        await mutate(plane, actor, async (work) => {
          const old = await work.repositories.credentials.get(id);
          if (old === undefined) throw notFound('credential', id);
          const changes: Partial<CredentialRecord> = {};
          if (body.credential_values)
            changes.values = { ...old.values, ...sealAll(body.credential_values, plane.vault, id) };
          if (body.credential_info) changes.details = { ...old.details, ...body.credential_info };
          return work.update(credentialResource, id, changes);
        });
        await plane.reloadModels();
        return { success: true, message: 'Credential updated successfully' };
      },
    }),
    endpoint('DELETE /credentials/{name}', {
      access: 'admin',
      tag,
      summary: 'Delete a credential; deployments that use it stop working.',
      response: done,
      async run({ actor, params }) {
        const removed = await mutate(plane, actor, (work) => work.remove(credentialResource, [params.name!]));
        if (removed.length === 0) throw notFound('credential', params.name!);
        await plane.reloadModels();
        return { success: true, message: 'Credential deleted successfully' };
      },
    }),
  ];
}

function shownCredential(row: CredentialRecord) {
  return {
    credential_name: row.id,
    credential_values: Object.fromEntries(Object.keys(row.values).map((name) => [name, hidden])),
    credential_info: row.details satisfies JsonObject,
  };
}
