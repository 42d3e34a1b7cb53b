import type {
  AccessGroupRecord,
  AccountRecord,
  AuditRecord,
  BudgetRecord,
  CredentialRecord,
  EndUserRecord,
  FeedbackRecord,
  KeyRecord,
  MembershipRecord,
  ModelRecord,
  OrganizationMembershipRecord,
  OrganizationRecord,
  ProjectRecord,
  Repositories,
  Repository,
  SettingRecord,
  TagRecord,
  TeamRecord,
  UserRecord,
} from '../../core/store.ts';
import type { Columns } from './columns.ts';
import { RowShape } from './columns.ts';

/* Every resource of the store, as data. The repository code and the first migration are made from this. */

const limits = {
  maxBudget: 'integer?',
  softBudget: 'integer?',
  budgetDuration: 'text?',
  rpmLimit: 'integer?',
  tpmLimit: 'integer?',
  maxParallelRequests: 'integer?',
  modelLimits: 'json',
} as const;

const limitsAndShared = { ...limits, budgetId: 'text?' } as const;

const tracked = {
  createdAt: 'integer',
  updatedAt: 'integer',
  createdBy: 'text?',
  updatedBy: 'text?',
  extra: 'json',
} as const;

export interface Table<Row> {
  readonly name: string;
  readonly shape: RowShape<Row>;
}

function table<Row>(name: string, columns: Columns<Row>): Table<Row> {
  return { name, shape: new RowShape(columns) };
}

type RowOf<Of> = Of extends Repository<infer Row> ? Row : never;

type Described = Omit<Repositories, 'changes' | 'adjustments'>;

export type Tables = { readonly [Name in keyof Described]: Table<RowOf<Described[Name]>> };

export const tables: Tables = {
  keys: table<KeyRecord>('keys', {
    id: 'text',
    name: 'text',
    alias: 'text?',
    userId: 'text?',
    teamId: 'text?',
    organizationId: 'text?',
    models: 'json',
    aliases: 'json',
    allowedRoutes: 'json',
    blocked: 'boolean',
    expiresAt: 'integer?',
    metadata: 'json',
    tags: 'json',
    replacedBy: 'text?',
    temporaryIncrease: 'integer?',
    temporaryIncreaseUntil: 'integer?',
    lastActiveAt: 'integer?',
    ...limitsAndShared,
    ...tracked,
  }),
  teams: table<TeamRecord>('teams', {
    id: 'text',
    alias: 'text?',
    organizationId: 'text?',
    models: 'json',
    modelAliases: 'json',
    blocked: 'boolean',
    metadata: 'json',
    memberBudget: 'integer?',
    memberBudgetDuration: 'text?',
    memberRpmLimit: 'integer?',
    memberTpmLimit: 'integer?',
    ...limitsAndShared,
    ...tracked,
  }),
  memberships: table<MembershipRecord>('memberships', {
    id: 'text',
    teamId: 'text',
    userId: 'text',
    role: 'text',
    maxBudget: 'integer?',
    budgetDuration: 'text?',
    rpmLimit: 'integer?',
    tpmLimit: 'integer?',
    allowedModels: 'json',
    ...tracked,
  }),
  users: table<UserRecord>('users', {
    id: 'text',
    email: 'text?',
    alias: 'text?',
    role: 'text',
    models: 'json',
    blocked: 'boolean',
    metadata: 'json',
    ...limitsAndShared,
    ...tracked,
  }),
  organizations: table<OrganizationRecord>('organizations', {
    id: 'text',
    alias: 'text',
    models: 'json',
    blocked: 'boolean',
    metadata: 'json',
    ...limitsAndShared,
    ...tracked,
  }),
  organizationMemberships: table<OrganizationMembershipRecord>('organization_memberships', {
    id: 'text',
    organizationId: 'text',
    userId: 'text',
    role: 'text',
    ...tracked,
  }),
  endUsers: table<EndUserRecord>('end_users', {
    id: 'text',
    alias: 'text?',
    blocked: 'boolean',
    allowedModelRegion: 'text?',
    defaultModel: 'text?',
    ...limitsAndShared,
    ...tracked,
  }),
  tags: table<TagRecord>('tags', {
    id: 'text',
    description: 'text?',
    models: 'json',
    ...limitsAndShared,
    ...tracked,
  }),
  projects: table<ProjectRecord>('projects', {
    id: 'text',
    alias: 'text?',
    teamId: 'text',
    models: 'json',
    blocked: 'boolean',
    metadata: 'json',
    ...limitsAndShared,
    ...tracked,
  }),
  accessGroups: table<AccessGroupRecord>('access_groups', {
    id: 'text',
    name: 'text',
    description: 'text?',
    models: 'json',
    deployments: 'json',
    ...tracked,
  }),
  feedback: table<FeedbackRecord>('feedback', {
    id: 'text',
    at: 'integer',
    traceId: 'text',
    value: 'json',
    weight: 'json',
    metadata: 'json',
    keyId: 'text?',
    userId: 'text?',
    teamId: 'text?',
  }),
  budgets: table<BudgetRecord>('budgets', { id: 'text', ...limits, ...tracked }),
  models: table<ModelRecord>('models', {
    id: 'text',
    modelName: 'text',
    params: 'json',
    modelInfo: 'json',
    blocked: 'boolean',
    ...tracked,
  }),
  credentials: table<CredentialRecord>('credentials', { id: 'text', values: 'json', details: 'json', ...tracked }),
  settings: table<SettingRecord>('settings', { id: 'text', value: 'json', ...tracked }),
  audit: table<AuditRecord>('audit', {
    id: 'text',
    at: 'integer',
    actor: 'text',
    actorKeyId: 'text?',
    action: 'text',
    resource: 'text',
    objectId: 'text',
    before: 'json?',
    after: 'json?',
  }),
};

export const accountsTable = table<AccountRecord>('accounts', {
  key: 'text',
  windowStart: 'integer',
  scope: 'text',
  id: 'text',
  model: 'text',
  duration: 'text',
  cap: 'integer?',
  spent: 'integer',
  leased: 'integer',
});
