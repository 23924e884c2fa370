/** Answers held against the API model: required members, types, patterns, lengths, enums. */
import { operationModels, type Shape, shapeOf } from '../../../local/healthimaging/model-data.ts';

/** What is wrong with an operation's output as the official client parsed it; empty when nothing is. */
export function answerProblems(operation: string, output: Readonly<Record<string, unknown>>): string[] {
  const problems: string[] = [];
  checkStructure(output, shapeOf(operationModels[operation]!.output.shape), operation, problems);
  return problems;
}

function checkStructure(value: object, shape: Shape, path: string, problems: string[]): void {
  const given = value as Record<string, unknown>;
  for (const [name, member] of Object.entries(shape.members ?? {})) {
    const item = given[name];
    if (item !== undefined) check(item, member.shape, `${path}.${name}`, problems);
    else if (shape.required?.includes(name)) problems.push(`${path}.${name} is missing`);
  }
}

function check(value: unknown, shapeName: string, path: string, problems: string[]): void {
  const shape = shapeOf(shapeName);
  const isWrong = (what: string) => problems.push(`${path} ${what}`);
  if (shape.type === 'structure') {
    if (typeof value === 'object' && value !== null) checkStructure(value, shape, path, problems);
    else isWrong('is no object');
  } else if (shape.type === 'list') {
    if (!Array.isArray(value)) return void isWrong('is no list');
    checkSize(value.length, shape, isWrong);
    value.forEach((item, i) => {
      check(item, shape.member!.shape, `${path}[${i}]`, problems);
    });
  } else if (shape.type === 'map') {
    for (const [key, item] of Object.entries(value as object)) {
      check(key, shape.key!.shape, `${path} key`, problems);
      check(item, shape.value!.shape, `${path}.${key}`, problems);
    }
  } else if (shape.type === 'string') {
    if (typeof value !== 'string') return void isWrong('is no text');
    checkSize([...value].length, shape, isWrong);
    if (shape.enum && !shape.enum.includes(value)) isWrong('is not of the enum');
    // The service's own messages have apostrophes, which its pattern has too.
    if (shape.pattern && !new RegExp(`^(?:${shape.pattern})$`, 'u').test(value))
      isWrong(`does not match ${shape.pattern}`);
  } else if (shape.type === 'timestamp') {
    if (!(value instanceof Date) || Number.isNaN(value.getTime())) isWrong('is no time');
  } else if (shape.type === 'integer') {
    if (!Number.isInteger(value)) return void isWrong('is no integer');
    if (Number(value) < (shape.min ?? -Infinity) || Number(value) > (shape.max ?? Infinity))
      isWrong('is out of range');
  } else if (shape.type === 'boolean' && typeof value !== 'boolean') isWrong('is no boolean');
}

function checkSize(size: number, { min, max }: Shape, isWrong: (what: string) => void): void {
  if (min !== undefined && size < min) isWrong(`is shorter than ${min}`);
  if (max !== undefined && size > max) isWrong(`is longer than ${max}`);
}
