/** Every Ref, Fn::GetAtt, Fn::Sub, condition and DependsOn names something that is there. */
import { attributesOf } from './resources.mjs';

const PSEUDO = new Set([
  'AccountId',
  'NoValue',
  'Partition',
  'Region',
  'StackId',
  'StackName',
  'URLSuffix',
  'NotificationARNs',
]);

/** Every `${…}` of a Fn::Sub but the literal ones. */
const namesIn = (text) => [...text.matchAll(/\$\{([^!}][^}]*)\}/g)].map(([, name]) => name);

export function checkReferences(template) {
  const { Resources, Parameters = {}, Rules = {}, Conditions = {}, Outputs = {} } = template;
  const isRef = (name) =>
    name in Resources || name in Parameters || (name.startsWith('AWS::') && PSEUDO.has(name.slice(5)));
  const problems = [];
  const refer = (name, path) => {
    if (!isRef(name)) problems.push(`${path}: ${name} is neither a resource nor a parameter`);
  };
  const attribute = (id, name, path) => {
    if (!(id in Resources)) problems.push(`${path}: no resource ${id}`);
    else if (!attributesOf(Resources[id].Type).includes(name))
      problems.push(`${path}: ${Resources[id].Type} has no attribute ${name}`);
  };
  const condition = (name, path) => {
    if (!(name in Conditions)) problems.push(`${path}: no condition ${name}`);
  };
  const HANDLERS = {
    Ref: (value, path) => refer(value, path),
    'Fn::GetAtt': (value, path) => {
      const [id, ...rest] = typeof value === 'string' ? value.split('.') : value;
      attribute(id, rest.join('.'), path);
    },
    'Fn::Sub': (value, path) => {
      const [text, own] = typeof value === 'string' ? [value, {}] : value;
      for (const name of namesIn(text)) {
        if (name in own) continue;
        if (name.includes('.')) attribute(name.split('.')[0], name.split('.').slice(1).join('.'), path);
        else refer(name, path);
      }
      for (const name of Object.keys(own))
        if (!namesIn(text).includes(name)) problems.push(`${path}: ${name} is given and not used`);
    },
    'Fn::If': ([name], path) => condition(name, path),
  };
  const walk = (value, path) => {
    if (Array.isArray(value)) for (const [index, item] of value.entries()) walk(item, `${path}[${index}]`);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
    const keys = Object.keys(value);
    if (keys.length === 1 && HANDLERS[keys[0]]) HANDLERS[keys[0]](value[keys[0]], path);
    if (keys.length === 1 && keys[0] === 'Condition' && typeof value.Condition === 'string')
      condition(value.Condition, path);
    // A definition is data of its own, looked at in definitions.mjs.
    for (const [key, item] of Object.entries(value)) if (key !== 'Definition') walk(item, `${path}.${key}`);
  };
  for (const [logicalId, resource] of Object.entries(Resources)) {
    walk(resource.Properties ?? {}, logicalId);
    if (resource.Condition) condition(resource.Condition, logicalId);
    for (const id of [resource.DependsOn ?? []].flat())
      if (!(id in Resources)) problems.push(`${logicalId}: DependsOn names no resource ${id}`);
  }
  walk(Rules, 'Rules');
  walk(Conditions, 'Conditions');
  walk(Outputs, 'Outputs');
  return problems;
}
