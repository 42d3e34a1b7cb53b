import { z } from 'zod';
import type { Actor } from '../../admin/actor.ts';
import { notFound } from '../../admin/authorize.ts';
import type { Endpoint } from '../../admin/contract.ts';
import { endpoint } from '../../admin/contract.ts';
import type { ControlPlane } from '../../admin/control-plane.ts';
import { changeSettings, storedSettings } from '../../admin/setting.ts';
import { isStoredSection } from '../../config/stored-settings.ts';
import { GatewayError } from '../../core/errors.ts';
import { nearest } from '../../core/nearest.ts';
import { label, modelList, tree } from './fields.ts';
import { type FallbackType, fallbackMapOf, fallbackTypes, shownFallbacks } from './settings.ts';

const tag = 'settings';
const done = z.object({ message: z.string(), warnings: z.array(z.string()) });
const ratio = z.number().min(0).max(1);
const margin = z.union([
  z.number().nonnegative(),
  z.object({ percentage: z.number().nonnegative().optional(), fixed_amount: z.number().nonnegative().optional() }),
]);

const fieldBody = z.object({
  field_name: label.min(1),
  config_type: z.string().default('general_settings'),
});

/** Changes of the configuration that are kept in the store: laid over the file, in force at once, on every replica. */
export function settingChangeEndpoints(plane: ControlPlane): Endpoint[] {
  const change = async (actor: Actor, section: string, key: string, value: unknown) => {
    if (!isStoredSection(section))
      throw new GatewayError('malformed_request', `config_type: '${section.slice(0, 64)}' cannot be changed here.`, {
        param: 'config_type',
      });
    return changeSettings(plane, actor, { [section]: { [key]: (value ?? null) as never } });
  };
  return [
    endpoint('POST /config/update', {
      access: 'admin',
      tag,
      summary: 'Lay settings over those of the configuration file, key by key; null takes the file’s again.',
      body: z.object({
        general_settings: tree.nullish(),
        router_settings: tree.nullish(),
        litellm_settings: tree.nullish(),
        environment_variables: z.record(z.string(), z.union([z.string(), z.null()])).nullish(),
      }),
      response: done,
      async run({ actor, body }) {
        const sections = Object.entries(body).filter(([, values]) => values !== null && values !== undefined);
        if (sections.length === 0)
          throw new GatewayError(
            'malformed_request',
            'Give at least one of general_settings, router_settings, litellm_settings, environment_variables.',
          );
        const warnings = await changeSettings(plane, actor, Object.fromEntries(sections) as never);
        return { message: 'Config updated successfully', warnings };
      },
    }),
    endpoint('POST /config/field/update', {
      access: 'admin',
      tag,
      summary: 'Set one setting.',
      body: fieldBody.extend({ field_value: z.unknown() }),
      response: done,
      async run({ actor, body }) {
        const warnings = await change(actor, body.config_type, body.field_name, body.field_value);
        return { message: `${body.field_name} updated successfully`, warnings };
      },
    }),
    endpoint('POST /config/field/delete', {
      access: 'admin',
      tag,
      summary: 'Take one setting back to what the file says.',
      body: fieldBody,
      response: done,
      async run({ actor, body }) {
        const warnings = await change(actor, body.config_type, body.field_name, null);
        return { message: `${body.field_name} deleted successfully`, warnings };
      },
    }),
    endpoint('GET /config/field/info', {
      access: 'admin_read',
      group: 'info_routes',
      tag,
      summary: 'A setting that is kept in the store.',
      query: z.object({ field_name: label.min(1), config_type: z.string().default('general_settings') }),
      response: z.object({ field_name: z.string(), field_value: z.unknown() }),
      async run({ query }) {
        const value = (await storedSettings(plane))[query.config_type]?.[query.field_name];
        if (value === undefined) throw notFound('setting', query.field_name);
        return { field_name: query.field_name, field_value: value };
      },
    }),
    endpoint('PATCH /config/cost_discount_config', {
      access: 'admin',
      tag,
      summary: 'Set the discounts on provider prices, as fractions.',
      body: z.record(z.string(), ratio),
      response: z.object({ message: z.string(), status: z.string(), values: z.record(z.string(), z.number()) }),
      async run({ actor, body }) {
        await changeSettings(plane, actor, { litellm_settings: { cost_discount_config: body } });
        return {
          message: 'Cost discount configuration updated successfully',
          status: 'success',
          values: { ...plane.snapshot().settings.priceDiscounts },
        };
      },
    }),
    endpoint('PATCH /config/cost_margin_config', {
      access: 'admin',
      tag,
      summary: 'Set the margins on provider prices: a fraction, or a fraction and US dollars a request.',
      body: z.record(z.string(), margin),
      response: z.object({ message: z.string(), status: z.string(), values: z.record(z.string(), margin) }),
      async run({ actor, body }) {
        await changeSettings(plane, actor, { litellm_settings: { cost_margin_config: body as never } });
        return { message: 'Cost margin configuration updated successfully', status: 'success', values: body };
      },
    }),
    ...fallbackEndpoints(plane),
  ];
}

const fallbackOutput = z.object({
  model: z.string(),
  fallback_models: z.array(z.string()),
  fallback_type: z.string(),
  message: z.string(),
});

function fallbackEndpoints(plane: ControlPlane): Endpoint[] {
  const write = (actor: Actor, type: FallbackType, model: string, targets: readonly string[]) => {
    const map = new Map(fallbackMapOf(plane.snapshot().router, type));
    if (targets.length === 0) map.delete(model);
    else map.set(model, targets);
    return changeSettings(plane, actor, {
      router_settings: { [fallbackTypes[type]]: shownFallbacks(map).map((entry) => ({ ...entry })) as never },
    });
  };
  const type = z.enum(['general', 'context_window', 'content_policy']).default('general');
  return [
    endpoint('POST /fallback', {
      access: 'admin',
      tag,
      summary: 'Say where requests for a model go when it fails.',
      body: z.object({ model: label.min(1), fallback_models: modelList.min(1), fallback_type: type }),
      response: fallbackOutput,
      async run({ actor, body }) {
        for (const name of [body.model, ...body.fallback_models]) requireModel(plane, name);
        if (body.fallback_models.includes(body.model))
          throw new GatewayError('malformed_request', `fallback_models: ${body.model} cannot be its own fallback.`, {
            param: 'fallback_models',
          });
        await write(actor, body.fallback_type, body.model, body.fallback_models);
        return { ...body, message: 'Fallback configured successfully' };
      },
    }),
    endpoint('DELETE /fallback/{model}', {
      access: 'admin',
      tag,
      summary: 'Forget the fallbacks of a model.',
      query: z.object({ fallback_type: type }),
      response: fallbackOutput,
      async run({ actor, params, query }) {
        const model = params.model!;
        if (!fallbackMapOf(plane.snapshot().router, query.fallback_type).has(model)) throw notFound('fallback', model);
        await write(actor, query.fallback_type, model, []);
        return {
          model,
          fallback_models: [],
          fallback_type: query.fallback_type,
          message: 'Fallback deleted successfully',
        };
      },
    }),
  ];
}

function requireModel(plane: ControlPlane, name: string): void {
  const { groups, aliases, wildcards } = plane.snapshot();
  if (groups.has(name) || aliases.has(name) || name === '*' || wildcards.some((one) => one.expand(name) !== null))
    return;
  const near = nearest(name, [...groups.keys(), ...aliases.keys()]);
  throw new GatewayError(
    'not_found',
    `There is no model '${name.slice(0, 128)}'.${near === undefined ? '' : ` Did you mean ${near}?`}`,
    { param: 'model' },
  );
}
