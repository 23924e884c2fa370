/**
 * Requests generated from the API model: for each operation a valid one, and for each constrained member values just
 * below, at and above each bound, missing, and of a wrong type.
 */
import {
  type MemberRef,
  operationModels,
  type Shape,
  shapeOf,
} from '../../../local/healthimaging/model-data.ts';

export interface ModelCase {
  readonly operation: string;
  /** `input.member.path: what is special`. */
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** Whether the model allows this input. */
  readonly isValid: boolean;
}

/** A value with these marks is sent as it is, also where the model asks for another type. */
type Value = unknown;

/** Samples that satisfy the patterns of the model, by shape. */
const SAMPLES: Readonly<Record<string, Value>> = {
  Arn: `arn:aws:medical-imaging:us-east-1:000000000000:datastore/${'0'.repeat(32)}`,
  AwsAccountId: '123456789012',
  ClientToken: 'token-1',
  DatastoreId: '0'.repeat(32),
  DatastoreName: 'name',
  DICOMSeriesInstanceUID: '1.2.3',
  DICOMStudyInstanceUID: '1.2.3',
  ImageFrameId: '0'.repeat(32),
  ImageSetExternalVersionId: '1',
  ImageSetId: '0'.repeat(32),
  JobId: '0'.repeat(32),
  JobName: 'job',
  KmsKeyArn: 'arn:aws:kms:us-east-1:123456789012:key/12345678-1234-1234-1234-123456789012',
  LambdaArn: 'arn:aws:lambda:us-east-1:123456789012:function:authorizer',
  MetadataFilePath: 'meta/data.json',
  NextToken: 'token',
  RoleArn: 'arn:aws:iam::123456789012:role/import',
  S3Uri: 's3://bucket/prefix/',
  TagKey: 'key',
  DICOMAttribute: Buffer.from('{"SchemaVersion":1.1,"Patient":{"DICOM":{"PatientSex":"O"}}}').toString(
    'base64',
  ),
  CopiableAttributes: '{"SchemaVersion":"1.1","Study":{"Series":{"1.2":{"Instances":{}}}}}',
  DICOMStudyDate: '20240101',
  DICOMStudyTime: '120000',
};

/** Strings of a length that keep the pattern; others cannot be stretched. */
const STRETCH: Readonly<Record<string, (length: number) => string>> = {
  ClientToken: (length) => 'a'.repeat(length),
  DatastoreName: (length) => 'a'.repeat(length),
  JobName: (length) => 'a'.repeat(length),
  JobId: (length) => 'a'.repeat(length),
  AwsAccountId: (length) => '1'.repeat(length),
  NextToken: (length) => 'a'.repeat(length),
  TagKey: (length) => 'a'.repeat(length),
  TagValue: (length) => 'a'.repeat(length),
  MetadataFilePath: (length) => 'a'.repeat(length),
  S3Uri: (length) => `s3://bucket/${'a'.repeat(Math.max(0, length - 12))}`.slice(0, length),
  RoleArn: (length) =>
    `arn:aws:iam::123456789012:role/${'a'.repeat(Math.max(0, length - 31))}`.slice(0, length),
  DICOMStudyInstanceUID: (length) => '1'.repeat(length),
  DICOMSeriesInstanceUID: (length) => '1'.repeat(length),
  CopiableAttributes: (length) => 'a'.repeat(length),
  DICOMAttribute: (length) => Buffer.alloc(length, 0x20).toString('base64'),
};

/** Any valid value of a shape, required members only. */
export function sample(shapeName: string): Value {
  const shape = shapeOf(shapeName);
  if (shapeName in SAMPLES) return SAMPLES[shapeName];
  switch (shape.type) {
    case 'structure':
      return sampleStructure(shape);
    case 'list':
      return Array.from({ length: Math.max(1, shape.min ?? 1) }, () => sample(shape.member!.shape));
    case 'map':
      return { [String(sample(shape.key!.shape))]: sample(shape.value!.shape) };
    case 'string':
      return shape.enum?.[0] ?? 'a'.repeat(Math.max(1, shape.min ?? 1));
    case 'integer':
      return Math.max(1, shape.min ?? 1);
    case 'boolean':
      return true;
    case 'timestamp':
      return 1_700_000_000;
    case 'blob':
      return 'AAAA';
  }
}

function sampleStructure(shape: Shape): Record<string, Value> {
  const members = Object.entries(shape.members ?? {});
  const wanted = shape.union
    ? members.slice(0, 1)
    : members.filter(([name]) => shape.required?.includes(name));
  return Object.fromEntries(wanted.map(([name, member]) => [name, sample(member.shape)]));
}

export function casesOf(operation: string): ModelCase[] {
  const shapeName = operationModels[operation]!.input.shape;
  const base = sample(shapeName) as Record<string, Value>;
  const make = (name: string, input: Record<string, Value>, isValid: boolean): ModelCase => ({
    operation,
    name,
    input,
    isValid,
  });
  const cases = [make('the least valid input', base, true)];
  for (const [name, member] of Object.entries(shapeOf(shapeName).members ?? {})) {
    const isRequired = shapeOf(shapeName).required?.includes(name) ?? false;
    // A missing URI label is another path, not another input.
    if (isRequired && member.location !== 'uri') {
      const { [name]: _, ...rest } = base;
      cases.push(make(`${name}: missing`, rest, false));
    }
    for (const variant of variants(member, name)) {
      if (member.location === 'uri' && variant.value === '') continue;
      cases.push(make(variant.name, { ...base, [name]: variant.value }, variant.isValid));
    }
  }
  return cases;
}

interface Variant {
  readonly name: string;
  readonly value: Value;
  readonly isValid: boolean;
}

/** Values at the bounds of a member, and inside of it. */
function variants(member: MemberRef, path: string): Variant[] {
  const shape = shapeOf(member.shape);
  const variant = (what: string, value: Value, isValid: boolean): Variant => ({
    name: `${path}: ${what}`,
    value,
    isValid,
  });
  const all = [variant('valid', sample(member.shape), true), ...sizes(member.shape, shape, variant)];
  if (shape.enum) all.push(variant('not of the enum', 'NO_SUCH_VALUE', false));
  if (shape.pattern && member.shape !== 'NextToken')
    all.push(variant('against the pattern', '\u00e9 \u00e9', false));
  if (!member.location) all.push(variant('of a wrong type', wrongType(shape), false));
  if (member.location === 'querystring' && (shape.type === 'integer' || shape.type === 'boolean')) {
    all.push(variant('text where a value is due', 'abc', false));
  }
  if (shape.type === 'structure') all.push(...inside(member.shape, shape, path));
  if (shape.type === 'list' && shapeOf(shape.member!.shape).type !== 'string') {
    const items = variants(shape.member!, `${path}[0]`);
    all.push(...items.map(({ name, value, isValid }) => ({ name, value: [value], isValid })));
  }
  return all;
}

function sizes(
  shapeName: string,
  shape: Shape,
  variant: (what: string, value: Value, isValid: boolean) => Variant,
): Variant[] {
  const at = (size: number): Value => {
    if (shape.type === 'integer') return size;
    if (shape.type === 'list') return Array.from({ length: size }, () => sample(shape.member!.shape));
    const stretch = STRETCH[shapeName] ?? ((length: number) => 'a'.repeat(length));
    return stretch(size);
  };
  if (shape.type === 'structure' || shape.type === 'map' || shape.enum) return [];
  const found: Variant[] = [];
  if (shape.max !== undefined) {
    const canReach = shapeName in STRETCH || !shape.pattern;
    if (canReach)
      found.push(variant(`just below ${shape.max}`, at(shape.max - 1), shape.max - 1 >= (shape.min ?? 0)));
    if (canReach) found.push(variant(`at ${shape.max}`, at(shape.max), true));
    found.push(variant(`above ${shape.max}`, at(shape.max + 1), false));
  }
  if (shape.min !== undefined && (shape.min > 0 || shape.type === 'integer')) {
    found.push(variant(`below ${shape.min}`, at(shape.min - 1), false));
  }
  return found;
}

function inside(shapeName: string, shape: Shape, path: string): Variant[] {
  const base = sample(shapeName) as Record<string, Value>;
  const all: Variant[] = [];
  for (const [name, member] of Object.entries(shape.members ?? {})) {
    const at = `${path}.${name}`;
    if (shape.required?.includes(name)) {
      const { [name]: _, ...rest } = base;
      all.push({ name: `${at}: missing`, value: rest, isValid: false });
    }
    for (const { name: what, value, isValid } of variants(member, at)) {
      all.push({ name: what, value: shape.union ? { [name]: value } : { ...base, [name]: value }, isValid });
    }
  }
  if (shape.union) {
    const members = Object.entries(shape.members ?? {}).slice(0, 2);
    const both = Object.fromEntries(members.map(([name, member]) => [name, sample(member.shape)]));
    all.push({ name: `${path}: no member of the union`, value: {}, isValid: false });
    if (members.length > 1)
      all.push({ name: `${path}: two members of the union`, value: both, isValid: false });
  }
  return all;
}

function wrongType(shape: Shape): Value {
  return shape.type === 'string' || shape.type === 'blob' || shape.type === 'map' ? 42 : 'wrong';
}

/** The HTTP request of an input, as the rest-json protocol has it. */
export function toRequest(operation: string, input: Readonly<Record<string, Value>>) {
  const { http, input: inputRef } = operationModels[operation]!;
  const shape = shapeOf(inputRef.shape);
  let path = http.requestUri;
  const query = new URLSearchParams();
  const body: Record<string, Value> = {};
  for (const [name, member] of Object.entries(shape.members ?? {})) {
    const value = input[name];
    const wireName = member.locationName ?? name;
    if (value === undefined) continue;
    if (member.location === 'uri') path = path.replace(`{${wireName}}`, encodeURIComponent(String(value)));
    else if (member.location === 'querystring') {
      for (const item of Array.isArray(value) ? value : [value]) query.append(wireName, String(item));
    } else body[name] = value;
  }
  const hasBody = Object.values(shape.members ?? {}).some((member) => !member.location);
  const content = shape.payload ? body[shape.payload] : body;
  return {
    method: http.method,
    path: `${path}${query.size > 0 ? `?${query}` : ''}`,
    body: hasBody && content !== undefined ? JSON.stringify(content) : undefined,
  };
}
