export { randomScript, seededRandom } from './chaos.ts';
export { type InvoiceEntry, readInvoice } from './invoice.ts';
export type { ScriptSource } from './playbook.ts';
export type { RecordedRequest } from './record.ts';
export type { FakeUsage, Moment, Script, ScriptedToolCall } from './script.ts';
export * from './scripts.ts';
export { type FakeProvider, type FakeProviderOptions, startFakeProvider } from './server.ts';
export { type SpawnedFakeProvider, spawnFakeProvider } from './spawn.ts';
