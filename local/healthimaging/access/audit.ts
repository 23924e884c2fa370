/** One CloudTrail-shaped record a call (guide, "Logging with CloudTrail"); sensitive members are hidden, as there. */
import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Home } from '../identifiers.ts';
import { operationModels, type Shape, shapeOf } from '../model-data.ts';
import { isReadOnly } from './identities.ts';

export interface Call {
  readonly operation: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly output?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly name: string; readonly message: string };
  readonly accessKeyId?: string;
  readonly requestId: string;
  readonly headers: IncomingHttpHeaders;
  readonly sourceIPAddress: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

const HIDDEN = 'HIDDEN_DUE_TO_SECURITY_REASONS';

/** Pure but for the event's id. */
export function auditRecord(call: Call, home: Home): object {
  const readOnly = isReadOnly(call.operation);
  const isManagement = operationModels[call.operation] !== undefined && call.operation !== 'GetImageFrame';
  const { accessKeyId, error } = call;
  return {
    eventVersion: '1.09',
    userIdentity: {
      type: 'IAMUser',
      accountId: home.accountId,
      arn: `arn:aws:iam::${home.accountId}:user/${accessKeyId ?? 'anonymous'}`,
      ...(accessKeyId && { accessKeyId }),
    },
    eventTime: `${new Date(call.at).toISOString().slice(0, 19)}Z`,
    eventSource: 'medical-imaging.amazonaws.com',
    eventName: call.operation,
    awsRegion: home.region,
    sourceIPAddress: call.sourceIPAddress,
    userAgent: call.headers['user-agent'] ?? '',
    ...(error && { errorCode: error.name, errorMessage: error.message }),
    requestParameters: shown(call.input, operationModels[call.operation]?.input.shape),
    responseElements:
      readOnly || !call.output ? null : shown(call.output, operationModels[call.operation]?.output.shape),
    requestID: call.requestId,
    eventID: randomUUID(),
    readOnly,
    eventType: 'AwsApiCall',
    managementEvent: isManagement,
    recipientAccountId: home.accountId,
    eventCategory: isManagement ? 'Management' : 'Data',
  };
}

function shown(value: unknown, shapeName: string | undefined): unknown {
  if (shapeName === undefined) return value;
  const shape: Shape = shapeOf(shapeName);
  if (value === undefined || value === null) return undefined;
  if (shape.sensitive || shape.type === 'blob') return HIDDEN;
  if (shape.type === 'list' && Array.isArray(value))
    return value.map((item) => shown(item, shape.member?.shape));
  if (shape.type !== 'structure') return value;
  const given = value as Record<string, unknown>;
  const members = Object.entries(shape.members ?? {}).filter(([name]) => given[name] !== undefined);
  return Object.fromEntries(members.map(([name, member]) => [name, shown(given[name], member.shape)]));
}
