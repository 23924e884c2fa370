/** The cases of the model (model-cases.ts) as inputs of the official client, where its types can say them at all. */
import * as sdk from '@aws-sdk/client-medical-imaging';
import { operationModels, type Shape, shapeOf } from '../../../local/healthimaging/model-data.ts';
import { casesOf, type ModelCase } from './model-cases.ts';

/** Members of the model that this version of the client does not know: it would leave them out. */
const UNKNOWN_TO_CLIENT = /^(includeStudyImageSets|importConfiguration)\b/;
/** The client fills it in. */
const FILLED_IN = /^clientToken: missing$/;

export interface ClientCase extends ModelCase {
  readonly clientInput: Readonly<Record<string, unknown>>;
}

/** Cases with values of the right types; the others are for plain HTTP. */
export function clientCasesOf(operation: string): ClientCase[] {
  const shape = shapeOf(operationModels[operation]!.input.shape);
  return casesOf(operation).flatMap((one) => {
    if (UNKNOWN_TO_CLIENT.test(one.name) || FILLED_IN.test(one.name)) return [];
    const clientInput = toClient(one.input, shape);
    return clientInput === WRONG_TYPE
      ? []
      : [{ ...one, clientInput: clientInput as Record<string, unknown> }];
  });
}

const WRONG_TYPE = Symbol('wrong type');

function toClient(value: unknown, shape: Shape): unknown {
  switch (shape.type) {
    case 'structure': {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return WRONG_TYPE;
      const entries = Object.entries(value).map(
        ([name, item]) => [name, toClient(item, shapeOf(shape.members![name]!.shape))] as const,
      );
      return entries.some(([, item]) => item === WRONG_TYPE) ? WRONG_TYPE : Object.fromEntries(entries);
    }
    case 'list': {
      if (!Array.isArray(value)) return WRONG_TYPE;
      const items = value.map((item) => toClient(item, shapeOf(shape.member!.shape)));
      return items.includes(WRONG_TYPE) ? WRONG_TYPE : items;
    }
    case 'map':
      return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : WRONG_TYPE;
    case 'timestamp':
      return typeof value === 'number' ? new Date(value * 1000) : WRONG_TYPE;
    case 'blob':
      return typeof value === 'string' && value !== 'wrong'
        ? new Uint8Array(Buffer.from(value, 'base64'))
        : WRONG_TYPE;
    case 'integer':
      return typeof value === 'number' ? value : WRONG_TYPE;
    default:
      return typeof value === shape.type ? value : WRONG_TYPE;
  }
}

type AnyCommand = new (input: object) => Parameters<sdk.MedicalImagingClient['send']>[0];

/** The client's command of an operation. */
export function commandOf(operation: string, input: object): Parameters<sdk.MedicalImagingClient['send']>[0] {
  const commands = sdk as unknown as Record<string, AnyCommand>;
  return new commands[`${operation}Command`]!(input);
}
