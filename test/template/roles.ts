/** What the functions of a running world asked of services, held against the roles that the template gives them. */
import type { ServiceCall } from '../../local/world/service-calls.ts';
import { readTemplate, resolveTemplate } from '../../local/world/template.ts';
import type { World } from '../../local/world/world.ts';

interface Statement {
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
}
type Need = readonly [action: string, resource: string];
export type IsAllowed = (functionName: string, need: Need) => boolean;

const S3_ACTIONS: Readonly<Record<string, string>> = {
  ListObjectsV2: 's3:ListBucket',
  GetObject: 's3:GetObject',
  HeadObject: 's3:GetObject',
  PutObject: 's3:PutObject',
  CopyObject: 's3:PutObject',
  UploadPart: 's3:PutObject',
  UploadPartCopy: 's3:PutObject',
  CreateMultipartUpload: 's3:PutObject',
  CompleteMultipartUpload: 's3:PutObject',
  AbortMultipartUpload: 's3:AbortMultipartUpload',
  ListParts: 's3:ListMultipartUploadParts',
  ListMultipartUploads: 's3:ListBucketMultipartUploads',
  DeleteObject: 's3:DeleteObject',
};
/** On executions of the ingest, not on the state machine. */
const OF_EXECUTIONS = ['DescribeExecution', 'GetExecutionHistory', 'ListMapRuns', 'StopExecution'];

/** What IAM asks for a call. HealthImaging's image sets are known to it by id; any of the data store stands for all. */
function needsOf(world: World, { service, operation, bucket, key, copySource }: ServiceCall): Need[] {
  const arn = (where: string) => `arn:aws:s3:::${where}`;
  if (service === 's3') {
    // Each deleted key needs it; the keys are in the body.
    if (operation === 'DeleteObjects') return [['s3:DeleteObject', `${arn(bucket ?? '')}/`]];
    const action = S3_ACTIONS[operation] ?? `s3:${operation}`;
    const target: Need = [action, arn(key ? `${bucket}/${key}` : (bucket ?? ''))];
    return copySource ? [target, ['s3:GetObject', arn(copySource)]] : [target];
  }
  const { region, datastoreId } = world;
  const datastore = `arn:aws:medical-imaging:${region}:000000000000:datastore/${datastoreId}`;
  if (service === 'medical-imaging') {
    const isOfSets = /ImageSet|ImageFrame|Instance|Tag/.test(operation) && !/^Search/.test(operation);
    return [[`medical-imaging:${operation}`, isOfSets ? `${datastore}/imageset/x` : datastore]];
  }
  const machine = world.stateMachineArns.ingest;
  if (operation === 'StartExecution' || operation === 'ListExecutions')
    return [[`states:${operation}`, machine]];
  if (operation === 'SendTaskSuccess')
    return [['states:SendTaskSuccess', world.stateMachineArns['import-batch'] ?? '']];
  if (OF_EXECUTIONS.includes(operation))
    return [[`states:${operation}`, `${machine.replace(':stateMachine:', ':execution:')}:x`]];
  if (operation === 'DescribeMapRun')
    return [['states:DescribeMapRun', `${machine.replace(':stateMachine:', ':mapRun:')}/x:y`]];
  if (service === 'lambda')
    return [
      [`lambda:${operation}`, `arn:aws:lambda:${region}:000000000000:function:isocenter-local-decideSeries`],
    ];
  return [[`${service}:${operation}`, '']];
}

const matches = (pattern: string, resource: string) =>
  new RegExp(
    `^${pattern
      .split('*')
      .map((part) => part.replace(/[.+?^$()[\]{}|\\/]/g, '\\$&'))
      .join('.*')}$`,
    's',
  ).test(resource);

/** The statements of each function's role, by function name. */
export async function rolesOf(
  world: World,
  templatePath: string,
  parameters: Readonly<Record<string, string>> = {},
): Promise<IsAllowed> {
  const template = await readTemplate(templatePath);
  const place = { stackName: 'isocenter-local', region: world.region, accountId: '000000000000' };
  const DatastoreArn = `arn:aws:medical-imaging:${world.region}:000000000000:datastore/${world.datastoreId}`;
  const Datastore = { ref: world.datastoreId, attributes: { DatastoreId: world.datastoreId, DatastoreArn } };
  const resolved = resolveTemplate(template, parameters, place, { Datastore });
  const roles = new Map(resolved.ofType('AWS::IAM::Role').map((role) => [role.attributes.Arn, role]));
  const statements = new Map(
    resolved.ofType('AWS::Lambda::Function').map(({ ref, properties }) => {
      const policies = roles.get(String(properties.Role))?.properties.Policies as unknown as {
        PolicyDocument: { Statement: Statement[] };
      }[];
      return [ref, policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement)];
    }),
  );
  return (functionName, [action, resource]) =>
    (statements.get(functionName) ?? []).some(
      ({ Action, Resource }) =>
        [Action].flat().includes(action) &&
        [Resource]
          .flat()
          .some(
            (pattern) =>
              matches(pattern, resource) || (pattern.startsWith(resource) && action === 's3:DeleteObject'),
          ),
    );
}

/** Each call that its function's role does not allow, once: `name: action on resource`. */
export function refusedCalls(
  world: World,
  calls: readonly (ServiceCall & { readonly functionName: string })[],
  isAllowed: IsAllowed,
): string[] {
  const refused = calls.flatMap(({ functionName, ...call }) =>
    needsOf(world, call)
      .filter((need) => !isAllowed(functionName, need))
      .map(([action, resource]) => `${functionName}: ${action} on ${resource}`),
  );
  return [...new Set(refused)];
}
