/** The API model of the service (botocore's JSON, 2023-07-19), typed: the one source of routes, shapes and limits. */
import apiModel from '../../shared/healthimaging/medical-imaging.api.json' with { type: 'json' };

/** Where a member travels, and which shape it has. */
export interface MemberRef {
  readonly shape: string;
  readonly location?: 'uri' | 'querystring' | 'header';
  readonly locationName?: string;
  readonly idempotencyToken?: boolean;
}

export interface Shape {
  readonly type: 'structure' | 'list' | 'map' | 'string' | 'integer' | 'boolean' | 'timestamp' | 'blob';
  readonly required?: readonly string[];
  readonly members?: Readonly<Record<string, MemberRef>>;
  readonly member?: MemberRef;
  readonly key?: MemberRef;
  readonly value?: MemberRef;
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: string;
  readonly enum?: readonly string[];
  readonly payload?: string;
  readonly union?: boolean;
  readonly sensitive?: boolean;
  readonly streaming?: boolean;
  readonly exception?: boolean;
  readonly error?: { readonly httpStatusCode: number };
}

export interface OperationModel {
  readonly name: string;
  readonly http: { readonly method: string; readonly requestUri: string; readonly responseCode: number };
  readonly input: { readonly shape: string };
  readonly output: { readonly shape: string };
  readonly errors: readonly { readonly shape: string }[];
  readonly endpoint?: { readonly hostPrefix: string };
  readonly readonly?: boolean;
}

const service = apiModel.service as unknown as {
  readonly shapes: Readonly<Record<string, Shape>>;
  readonly operations: Readonly<Record<string, OperationModel>>;
};

export const shapes: Readonly<Record<string, Shape>> = service.shapes;
export const operationModels: Readonly<Record<string, OperationModel>> = service.operations;

/** The shape of a name; throws when the model is inconsistent. */
export function shapeOf(name: string): Shape {
  const shape = shapes[name];
  if (!shape) throw new Error(`the API model has no shape ${name}`);
  return shape;
}
