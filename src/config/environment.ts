/** Environment variables as handed around; only this file knows the real ones. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The variables of this process: the one place that reads them. */
export function systemEnvironment(): Environment {
  return process.env;
}

/** Makes the configuration's `environment_variables` visible to libraries that read the environment themselves. */
export function exportToSystem(variables: Readonly<Record<string, string>>): void {
  Object.assign(process.env, variables);
}

/**
 * The environment under `environment_variables`: those win over what the process inherited, as they are exported before
 * anything else is resolved.
 */
export function withVariables(environment: Environment, variables: Readonly<Record<string, string>>): Environment {
  return { ...environment, ...variables };
}
