/**
 * The packaged template, read for running: parameters given, conditions decided, every resource resolved with the names
 * and ARNs that it has on this machine.
 */
import { readFile } from 'node:fs/promises';
import { type Json, resolve, type Scope, TemplateError } from './intrinsics.ts';
import { type ParameterRule, type ParametersRule, parseParameters } from './parameters.mjs';
import { identityOf, RESOURCE_TYPES } from './resource-types.ts';

export interface TemplateResource {
  readonly Type: string;
  readonly Condition?: string;
  readonly Properties?: { readonly [key: string]: Json };
}

export interface Template {
  readonly Parameters?: Readonly<Record<string, ParameterRule>>;
  readonly Rules?: Readonly<Record<string, ParametersRule>>;
  readonly Conditions?: Readonly<Record<string, Json>>;
  readonly Resources: Readonly<Record<string, TemplateResource>>;
  readonly Outputs?: Readonly<Record<string, { readonly Value: Json; readonly Condition?: string }>>;
}

/** One resource as it is made here. */
export interface Resource {
  readonly logicalId: string;
  readonly type: string;
  readonly properties: { readonly [key: string]: Json };
  readonly ref: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface Place {
  readonly stackName: string;
  readonly region: string;
  readonly accountId: string;
}

export interface ResolvedTemplate {
  readonly parameters: Readonly<Record<string, string>>;
  ofType(type: string): readonly Resource[];
  get(logicalId: string): Resource;
  /** The value of an output. Throws TemplateError when the template has none of that name. */
  output(name: string): string;
}

/** Reads a template from a file. Throws TemplateError when it is not one. */
export async function readTemplate(path: string): Promise<Template> {
  const template = JSON.parse(await readFile(path, 'utf8')) as Partial<Template>;
  if (typeof template.Resources !== 'object')
    throw new TemplateError(`${path}: expected Resources, got none`);
  return template as Template;
}

/** The parameters of `template` and which of its conditions hold. Throws ParameterError, TemplateError. */
function decide(template: Template, given: Readonly<Record<string, string>>, place: Place) {
  const parameters = parseParameters(template.Parameters ?? {}, given, template.Rules);
  const ref = (name: string): Json | undefined => parameters[name] ?? pseudoParameter(name, place);
  const condition = (name: string): boolean => {
    const value = template.Conditions?.[name];
    if (value === undefined) throw new TemplateError(`condition ${name}: not in the template`);
    const refuse = (id: string): never => {
      throw new TemplateError(`condition ${name}: conditions cannot use the resource ${id}`);
    };
    return resolve(value, { ref, attribute: refuse, condition }) === true;
  };
  return { parameters, ref, condition };
}

function pseudoParameter(name: string, place: Place): string | undefined {
  const values: Readonly<Record<string, string>> = {
    'AWS::StackName': place.stackName,
    'AWS::Region': place.region,
    'AWS::AccountId': place.accountId,
    'AWS::Partition': 'aws',
    'AWS::URLSuffix': 'amazonaws.com',
    'AWS::StackId': `arn:aws:cloudformation:${place.region}:${place.accountId}:stack/${place.stackName}/local`,
  };
  return values[name];
}

/** The values of the parameters, before anything is made: which conditions hold decides whether a data store is. */
export function conditionsOf(template: Template, given: Readonly<Record<string, string>>, place: Place) {
  const { parameters, condition } = decide(template, given, place);
  const wanted = Object.entries(template.Resources).filter(
    ([, { Condition }]) => Condition === undefined || condition(Condition),
  );
  return { parameters, wanted };
}

/**
 * Resolves every wanted resource. `known` holds the identities that only a service can give (a data store's id), by
 * logical id. Throws TemplateError naming the logical id for types and properties that cannot be run here.
 */
export function resolveTemplate(
  template: Template,
  given: Readonly<Record<string, string>>,
  place: Place,
  known: Readonly<Record<string, { ref: string; attributes: Record<string, string> }>> = {},
): ResolvedTemplate {
  const { parameters, ref: plainRef, condition } = decide(template, given, place);
  const { wanted } = conditionsOf(template, given, place);
  const resources = new Map(wanted);
  const done = new Map<string, Resource>();
  const underway = new Set<string>();

  const identities = new Map<string, { ref: string; attributes: Readonly<Record<string, string>> }>();
  const identity = (logicalId: string) => {
    const found = identities.get(logicalId) ?? known[logicalId];
    if (found) return found;
    const resource = resources.get(logicalId);
    if (!resource) throw new TemplateError(`${logicalId}: no such resource in the template`);
    if (underway.has(logicalId)) throw new TemplateError(`${logicalId}: its name depends on itself`);
    underway.add(logicalId);
    const made = identityOf(resource, logicalId, place, (value) => resolve(value, scope));
    underway.delete(logicalId);
    identities.set(logicalId, made);
    return made;
  };
  const scope: Scope = {
    ref: (name) => plainRef(name) ?? (resources.has(name) ? identity(name).ref : undefined),
    attribute: (logicalId, attribute) => {
      const value = identity(logicalId).attributes[attribute];
      if (value === undefined)
        throw new TemplateError(`${logicalId}: Fn::GetAtt ${attribute} is not known locally`);
      return value;
    },
    condition,
  };
  for (const [logicalId, resource] of wanted) {
    try {
      done.set(logicalId, make(logicalId, resource));
    } catch (error) {
      if (!(error instanceof TemplateError) || error.message.startsWith(`${logicalId}:`)) throw error;
      throw new TemplateError(`${logicalId}: ${error.message}`, { cause: error });
    }
  }
  function make(logicalId: string, resource: TemplateResource): Resource {
    // A state machine's definition is data of its own: nothing in it is an intrinsic function.
    const { Definition, ...evaluated } = resource.Properties ?? {};
    const properties = {
      ...((resolve(evaluated, scope) ?? {}) as { readonly [key: string]: Json }),
      ...(Definition === undefined ? {} : { Definition }),
    };
    checkProperties(logicalId, resource.Type, properties);
    return { logicalId, type: resource.Type, properties, ...identity(logicalId) };
  }
  return {
    parameters,
    output: (name) => {
      const output = template.Outputs?.[name];
      if (!output) throw new TemplateError(`Outputs: expected ${name}, got none`);
      return String(resolve(output.Value, scope));
    },
    ofType: (type) => [...done.values()].filter((resource) => resource.type === type),
    get: (logicalId) => {
      const resource = done.get(logicalId);
      if (!resource) throw new TemplateError(`${logicalId}: no such resource in the template`);
      return resource;
    },
  };
}

/** A property that would change how things run, and that nothing here honours, is refused rather than ignored. */
function checkProperties(
  logicalId: string,
  type: string,
  properties: { readonly [key: string]: Json },
): void {
  const role = RESOURCE_TYPES[type];
  if (!role) throw new TemplateError(`${logicalId}: ${type} is not run locally`);
  if (role.properties === 'any') return;
  for (const name of Object.keys(properties)) {
    if (!role.properties.includes(name))
      throw new TemplateError(`${logicalId}: property ${name} of ${type} is not run locally`);
  }
}
