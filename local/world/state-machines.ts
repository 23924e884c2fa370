/** The template's state machines with their substitutions filled in. */
import type { StateMachine } from '../stepfunctions/server.ts';
import { type Json, substitute, TemplateError } from './intrinsics.ts';
import type { Place, Resource } from './template.ts';

/** Replaces `${Name}` in every text below `value`. Throws TemplateError for a name without a value. */
function fillIn(value: Json, values: Readonly<Record<string, Json>>, logicalId: string): Json {
  if (typeof value === 'string')
    return substitute(value, (name) => {
      const found = values[name];
      if (found === undefined)
        throw new TemplateError(`${logicalId}: DefinitionSubstitutions has no ${name}`);
      return String(found);
    });
  if (Array.isArray(value)) return value.map((item) => fillIn(item, values, logicalId));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, fillIn(item, values, logicalId)]),
  );
}

/** `raw` is the definition as the template has it: nothing in it is an intrinsic function. Throws TemplateError. */
export function toStateMachine(resource: Resource, raw: Json | undefined): StateMachine {
  const {
    RoleArn,
    StateMachineType = 'STANDARD',
    DefinitionSubstitutions = {},
    DefinitionString,
  } = resource.properties;
  const definition =
    raw ?? (typeof DefinitionString === 'string' ? (JSON.parse(DefinitionString) as Json) : undefined);
  if (typeof definition !== 'object' || definition === null)
    throw new TemplateError(`${resource.logicalId}: expected a Definition, got none`);
  return {
    name: resource.attributes.Name as string,
    arn: resource.ref,
    roleArn: String(RoleArn),
    type: StateMachineType === 'EXPRESS' ? 'EXPRESS' : 'STANDARD',
    definition: fillIn(
      definition,
      DefinitionSubstitutions as Readonly<Record<string, Json>>,
      resource.logicalId,
    ) as object,
  };
}

/** `isocenter-local-import-batch` → `import-batch`: how world.json names it. */
export const shortName = (name: string, { stackName }: Place): string =>
  name.startsWith(`${stackName}-`) ? name.slice(stackName.length + 1) : name;
