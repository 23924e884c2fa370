/** Replies, shaped by the API model: known members only, timestamps as epoch seconds, payload blobs as raw bodies. */
import { operationModels, type Shape, shapeOf } from './model-data.ts';

export interface Reply {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string | BodyStream;
}

/** A body that is never whole in memory. */
export interface BodyStream {
  /** Unknown where frames are encoded on the way. */
  readonly sizeBytes?: number;
  readonly chunks: AsyncIterable<Uint8Array>;
}

export const isStream = (body: unknown): body is BodyStream =>
  typeof body === 'object' && body !== null && 'chunks' in body;

/** The HTTP reply for an operation's output. Timestamps come in as milliseconds. Pure. */
export function toReply(operation: string, output: Readonly<Record<string, unknown>>): Reply {
  const model = operationModels[operation]!;
  const shape = shapeOf(model.output.shape);
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  for (const [name, member] of Object.entries(shape.members ?? {})) {
    const value = output[name];
    if (member.location === 'header' && typeof value === 'string') {
      headers[(member.locationName ?? name).toLowerCase()] = value;
    }
  }
  const payload = shape.payload ? output[shape.payload] : undefined;
  const isRaw = payload instanceof Uint8Array || isStream(payload);
  const body = isRaw ? payload : JSON.stringify(toWire(output, shape));
  return { statusCode: model.http.responseCode, headers, body };
}

function toWire(value: unknown, shape: Shape): unknown {
  if (value === undefined || value === null) return undefined;
  if (shape.type === 'timestamp') return Math.round(value as number) / 1000;
  if (shape.type === 'list')
    return (value as unknown[]).map((item) => toWire(item, shapeOf(shape.member!.shape)));
  if (shape.type !== 'structure') return value;
  const given = value as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries(shape.members ?? {})
      .filter(([name, member]) => !member.location && given[name] !== undefined)
      .map(([name, member]) => [name, toWire(given[name], shapeOf(member.shape))]),
  );
}
