import { z } from 'zod';
import type { Endpoint } from '../../admin/contract.ts';
import { endpoint } from '../../admin/contract.ts';
import type { ControlPlane } from '../../admin/control-plane.ts';
import type { AuditRecord } from '../../core/store.ts';
import { isoTime, page, pageSize } from './fields.ts';

const tag = 'audit';

const auditOutput = z.object({
  id: z.string(),
  updated_at: z.string().nullable(),
  changed_by: z.string(),
  changed_by_api_key: z.string(),
  action: z.string(),
  table_name: z.string(),
  object_id: z.string(),
  before_value: z.record(z.string(), z.unknown()).nullable(),
  updated_values: z.record(z.string(), z.unknown()).nullable(),
});

/** LiteLLM names a kind of object by its table. */
const tableNames: Readonly<Record<string, string>> = {
  key: 'LiteLLM_VerificationToken',
  team: 'LiteLLM_TeamTable',
  team_member: 'LiteLLM_TeamMembership',
  user: 'LiteLLM_UserTable',
  organization: 'LiteLLM_OrganizationTable',
  organization_member: 'LiteLLM_OrganizationMembership',
  end_user: 'LiteLLM_EndUserTable',
  budget: 'LiteLLM_BudgetTable',
  tag: 'LiteLLM_TagTable',
  model: 'LiteLLM_ProxyModelTable',
  credential: 'LiteLLM_CredentialsTable',
};

export function auditEndpoints(plane: ControlPlane): Endpoint[] {
  return [
    endpoint('GET /audit', {
      access: 'admin_read',
      tag,
      summary: 'Who changed what, newest first.',
      query: z.object({
        page: page.default(1),
        page_size: pageSize.default(10),
        changed_by: z.string().optional(),
        action: z.enum(['created', 'updated', 'deleted', 'blocked', 'unblocked', 'regenerated', 'reset']).optional(),
        table_name: z.string().optional(),
        object_id: z.string().optional(),
        sort_order: z.enum(['asc', 'desc']).default('desc'),
      }),
      response: z.object({
        audit_logs: z.array(auditOutput),
        total: z.number(),
        page: z.number(),
        page_size: z.number(),
        total_pages: z.number(),
      }),
      async run({ query }) {
        const resource = Object.keys(tableNames).find((name) => tableNames[name] === query.table_name);
        const where = {
          ...(query.changed_by === undefined ? {} : { actor: query.changed_by }),
          ...(query.action === undefined ? {} : { action: query.action }),
          ...(query.table_name === undefined ? {} : { resource: resource ?? query.table_name }),
          ...(query.object_id === undefined ? {} : { objectId: query.object_id }),
        };
        const [rows, total] = await Promise.all([
          plane.store.audit.list({
            where,
            orderBy: 'at',
            descending: query.sort_order === 'desc',
            offset: (query.page - 1) * query.page_size,
            limit: query.page_size,
          }),
          plane.store.audit.count({ where }),
        ]);
        return {
          audit_logs: rows.map(shownAudit),
          total,
          page: query.page,
          page_size: query.page_size,
          total_pages: Math.ceil(total / query.page_size),
        };
      },
    }),
    endpoint('GET /audit/{id}', {
      access: 'admin_read',
      tag,
      summary: 'One change.',
      response: auditOutput.nullable(),
      async run({ params }) {
        const row = await plane.store.audit.get(params.id!);
        return row === undefined ? null : shownAudit(row);
      },
    }),
  ];
}

function shownAudit(row: AuditRecord) {
  return {
    id: row.id,
    updated_at: isoTime(row.at),
    changed_by: row.actor,
    changed_by_api_key: row.actorKeyId ?? '',
    action: row.action,
    table_name: tableNames[row.resource] ?? row.resource,
    object_id: row.objectId,
    before_value: row.before,
    updated_values: row.after,
  };
}
