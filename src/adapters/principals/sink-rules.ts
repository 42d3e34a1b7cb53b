import type { OwnSink, SinkRules } from '../../core/identity.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { textsIn } from './limit-rules.ts';

const ownMax = 8;

/** What a key says of sinks (`metadata.logging`, `litellm_disabled_callbacks` …), and its team where the key says nothing. */
export function sinkRules(key: JsonObject, team: JsonObject): SinkRules | null {
  const own = rulesIn(key.logging) ?? rulesIn(team.logging) ?? [];
  const leftOut = [...textsIn(key.litellm_disabled_callbacks), ...textsIn(team.litellm_disabled_callbacks)];
  const isOff = key.disable_logging === true || team.disable_logging === true;
  const hidesContent = isSet(key.turn_off_message_logging) || isSet(team.turn_off_message_logging);
  if (own.length === 0 && leftOut.length === 0 && !isOff && !hidesContent) return null;
  return Object.freeze({
    own: Object.freeze(own),
    leftOut: Object.freeze(leftOut),
    isOff,
    hidesContent,
    takesContent: own.some((rule) => !isSet(rule.vars.turn_off_message_logging)),
  });
}

function rulesIn(value: unknown): OwnSink[] | null {
  if (!Array.isArray(value) || value.length === 0) return null;
  const rules: OwnSink[] = [];
  for (const rule of value.slice(0, ownMax)) {
    if (!isJsonObject(rule) || typeof rule.callback_name !== 'string') continue;
    const type = rule.callback_type;
    rules.push({
      name: rule.callback_name,
      hears: type === 'success' || type === 'failure' ? type : 'all',
      vars: Object.freeze(isJsonObject(rule.callback_vars) ? { ...rule.callback_vars } : {}),
    });
  }
  return rules;
}

function isSet(value: unknown): boolean {
  return value === true || value === 'true' || value === 'True';
}
