/** Every resource and property, nested ones too, against what CloudFormation knows (`@aws-cdk/aws-service-spec`). */
import { loadAwsServiceSpecSync } from '@aws-cdk/aws-service-spec';

const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
/** An intrinsic function stands for a value that only the deployment knows; `Fn::If` shows both of its. */
const intrinsic = (value) =>
  isObject(value) && Object.keys(value).length === 1 && /^(Ref|Fn::.+)$/.test(Object.keys(value)[0]);

const SCALARS = {
  string: (value) => typeof value === 'string',
  'date-time': (value) => typeof value === 'string',
  number: (value) => typeof value === 'number' || /^-?[0-9.]+$/.test(value),
  integer: (value) => Number.isInteger(value) || /^-?[0-9]+$/.test(value),
  boolean: (value) => typeof value === 'boolean' || value === 'true' || value === 'false',
  null: (value) => value === null,
};

function checkValue(db, value, type, path) {
  if (intrinsic(value)) {
    const branches = value['Fn::If']?.slice(1) ?? [];
    return branches.flatMap((branch) => checkValue(db, branch, type, path));
  }
  const wrong = (wanted) => [`${path}: expected ${wanted}, got ${JSON.stringify(value)?.slice(0, 80)}`];
  switch (type.type) {
    case 'json':
      return [];
    case 'tag':
      return isObject(value) && 'Key' in value ? [] : wrong('a tag');
    case 'array':
      if (!Array.isArray(value)) return wrong('a list');
      return value.flatMap((item, index) => checkValue(db, item, type.element, `${path}[${index}]`));
    case 'map':
      if (!isObject(value)) return wrong('a map');
      return Object.entries(value).flatMap(([key, item]) =>
        checkValue(db, item, type.element, `${path}.${key}`),
      );
    case 'ref':
      if (!isObject(value)) return wrong('an object');
      return checkProperties(db, value, db.get('typeDefinition', type.reference.$ref).properties, path);
    case 'union': {
      const tries = type.types.map((one) => checkValue(db, value, one, path));
      return tries.reduce((best, one) => (one.length < best.length ? one : best));
    }
    default:
      if (!SCALARS[type.type]?.(value)) return wrong(`a ${type.type}`);
      return type.allowedValues && !type.allowedValues.includes(value)
        ? wrong(type.allowedValues.join(' | '))
        : [];
  }
}

function checkProperties(db, values, known, path) {
  const unknown = Object.keys(values).filter((name) => !(name in known));
  const missing = Object.keys(known).filter((name) => known[name].required && !(name in values));
  return [
    ...unknown.map((name) => `${path}.${name}: no such property`),
    ...missing.map((name) => `${path}.${name}: required, and missing`),
    ...Object.entries(values).flatMap(([name, value]) =>
      known[name] ? checkValue(db, value, known[name].type, `${path}.${name}`) : [],
    ),
  ];
}

/** Attributes that `Fn::GetAtt` may name, for references.mjs. */
export function attributesOf(type) {
  const [resource] = spec().lookup('resource', 'cloudFormationType', 'equals', type);
  return resource ? [...Object.keys(resource.attributes), ...(resource.primaryIdentifier ?? [])] : [];
}

let database;
function spec() {
  database ??= loadAwsServiceSpecSync();
  return database;
}

export function checkResources({ Resources }) {
  return Object.entries(Resources).flatMap(([logicalId, { Type, Properties = {} }]) => {
    const [resource] = spec().lookup('resource', 'cloudFormationType', 'equals', Type);
    if (!resource) return [`${logicalId}: CloudFormation knows no ${Type}`];
    return checkProperties(spec(), Properties, resource.properties, logicalId);
  });
}
