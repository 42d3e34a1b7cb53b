import type { AwsIdentity } from '../../core/aws-signature.ts';
import type { Outside } from '../../core/ports.ts';
import { AuthorizationError, type ConnectionSettings } from '../../core/provider.ts';
import { Secret } from '../../core/secret.ts';
import { type Expiring, sharedTokenSource, type TokenSource } from '../../core/token-source.ts';
import { containerIdentity, machineIdentity } from './metadata.ts';
import { type Profile, readProfile, webIdentityToken } from './profile.ts';
import { assumeRole, assumeRoleWithToken, type RoleWish, type StsPlace } from './sts.ts';

/** Variables that decide who calls; the names are Amazon's. */
export const identityVariables: readonly string[] = [
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_PROFILE',
  'AWS_PROFILE_NAME',
  'AWS_SHARED_CREDENTIALS_FILE',
  'AWS_CONFIG_FILE',
  'AWS_ROLE_ARN',
  'AWS_ROLE_SESSION_NAME',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
  'AWS_CONTAINER_AUTHORIZATION_TOKEN',
  'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE',
  'AWS_EC2_METADATA_DISABLED',
  'AWS_STS_ENDPOINT',
  'HOME',
  'USERPROFILE',
];

const forever = Number.MAX_SAFE_INTEGER;
/** Files may be written anew. */
const rereadMs = 5 * 60_000;

export type FindIdentity = (outside: Outside) => AwsIdentity | Promise<AwsIdentity>;

/** Who signs: the deployment's own settings, else what Amazon's own tools would find, in their order. */
export function identityOf(settings: ConnectionSettings, region: string): FindIdentity {
  const { environment = {} } = settings;
  const extra = (name: string) => textOf(settings.extra[name]);
  const place: StsPlace = { region, endpoint: extra('aws_sts_endpoint') ?? environment.AWS_STS_ENDPOINT ?? null };
  const own = keys(extra('aws_access_key_id'), extra('aws_secret_access_key'), extra('aws_session_token'));
  const role = extra('aws_role_name');
  const webIdentity = extra('aws_web_identity_token');
  const profile = extra('aws_profile_name');
  if (role === undefined && own !== null) return () => own;
  // Settings that a caller brought: the machine's own identity is not for them.
  if (settings.environment === undefined) {
    return () => {
      throw new AuthorizationError('there are no AWS keys for this call: send an api_key that is a Bedrock API key');
    };
  }

  const wish: RoleWish = {
    roleArn: role ?? '',
    sessionName: extra('aws_session_name') ?? environment.AWS_ROLE_SESSION_NAME ?? 'tollgate',
    externalId: extra('aws_external_id') ?? null,
  };
  const base: FindIdentity = own !== null ? () => own : found(environment, profile, place);
  const identity = ['aws', JSON.stringify(settings.extra), JSON.stringify(environment), region];
  const source: TokenSource<AwsIdentity> = sharedTokenSource(identity, async (outside) => {
    if (role === undefined) return await lasting(base, outside);
    if (webIdentity !== undefined) {
      return assumeRoleWithToken(wish, await webIdentityToken(webIdentity, outside), place, outside);
    }
    return assumeRole(wish, await base(outside), place, outside);
  });
  return (outside) => source.get(outside);
}

/** Keys without an end are looked up again from time to time; those with one bring it along. */
async function lasting(base: FindIdentity, outside: Outside): Promise<Expiring<AwsIdentity>> {
  const value = await base(outside);
  return { value, expiresAt: Math.min(ends.get(value) ?? forever, outside.now() + rereadMs) };
}

const ends = new WeakMap<AwsIdentity, number>();

function until({ value, expiresAt }: Expiring<AwsIdentity>): AwsIdentity {
  ends.set(value, expiresAt);
  return value;
}

function found(
  environment: Readonly<Record<string, string>>,
  named: string | undefined,
  place: StsPlace,
): FindIdentity {
  const home = environment.HOME ?? environment.USERPROFILE ?? '';
  const files = {
    credentials: environment.AWS_SHARED_CREDENTIALS_FILE ?? `${home}/.aws/credentials`,
    config: environment.AWS_CONFIG_FILE ?? `${home}/.aws/config`,
  };
  const ofProfile = async (name: string, outside: Outside, depth = 0): Promise<AwsIdentity | null> => {
    const profile = await readProfile(name, files, outside);
    if (profile === undefined) return null;
    const own = keys(profile.aws_access_key_id, profile.aws_secret_access_key, profile.aws_session_token);
    const wish = roleOf(profile);
    if (wish === null) return own;
    if (profile.web_identity_token_file !== undefined) {
      const token = await webIdentityToken(profile.web_identity_token_file, outside);
      return until(await assumeRoleWithToken(wish, token, place, outside));
    }
    const parent = profile.source_profile;
    const base =
      parent === undefined || parent === name || depth > 3 ? own : await ofProfile(parent, outside, depth + 1);
    if (base === null)
      throw new AuthorizationError(`the AWS profile ${name} names a role, but no keys to assume it with`);
    return until(await assumeRole(wish, base, place, outside));
  };
  return async (outside) => {
    if (named !== undefined) {
      const own = await ofProfile(named, outside);
      if (own === null) throw new AuthorizationError(`there are no keys in the AWS profile ${named}`);
      return own;
    }
    const set = keys(environment.AWS_ACCESS_KEY_ID, environment.AWS_SECRET_ACCESS_KEY, environment.AWS_SESSION_TOKEN);
    if (set !== null) return set;
    const { AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile, AWS_ROLE_ARN: roleArn } = environment;
    if (tokenFile !== undefined && roleArn !== undefined) {
      const sessionName = environment.AWS_ROLE_SESSION_NAME ?? 'tollgate';
      const token = await webIdentityToken(tokenFile, outside);
      return until(await assumeRoleWithToken({ roleArn, sessionName, externalId: null }, token, place, outside));
    }
    const profile = await ofProfile(environment.AWS_PROFILE ?? environment.AWS_PROFILE_NAME ?? 'default', outside);
    if (profile !== null) return profile;
    const container = {
      relativeUri: environment.AWS_CONTAINER_CREDENTIALS_RELATIVE_URI,
      fullUri: environment.AWS_CONTAINER_CREDENTIALS_FULL_URI,
      token: environment.AWS_CONTAINER_AUTHORIZATION_TOKEN,
      tokenFile: environment.AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE,
    };
    if ((container.relativeUri ?? container.fullUri) !== undefined) {
      return until(await containerIdentity(container, outside));
    }
    if (environment.AWS_EC2_METADATA_DISABLED?.toLowerCase() === 'true') {
      throw new AuthorizationError('no AWS keys were found: set aws_access_key_id, a role, or a profile');
    }
    return until(await machineIdentity(outside));
  };
}

function roleOf(profile: Profile): RoleWish | null {
  if (profile.role_arn === undefined) return null;
  return {
    roleArn: profile.role_arn,
    sessionName: profile.role_session_name ?? 'tollgate',
    externalId: profile.external_id ?? null,
  };
}

function keys(id: string | undefined, key: string | undefined, token: string | undefined): AwsIdentity | null {
  if (id === undefined || key === undefined) return null;
  return {
    accessKeyId: id,
    secretAccessKey: new Secret(key),
    sessionToken: token === undefined ? null : new Secret(token),
  };
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
