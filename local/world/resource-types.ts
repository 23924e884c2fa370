/**
 * The resource types of our template: what `Ref` and `Fn::GetAtt` give for each, and which properties the local world
 * runs or may leave alone. What is not in the table is refused at start.
 */
import { createHash } from 'node:crypto';
import { type Json, TemplateError } from './intrinsics.ts';
import type { Place, TemplateResource } from './template.ts';

type Identity = { ref: string; attributes: Readonly<Record<string, string>> };
interface Named {
  /** The physical name: the name property when it is given, else one made of stack and logical id. */
  readonly name: string;
  readonly place: Place;
  property(name: string): string | undefined;
}

interface ResourceType {
  /** The property that gives the physical name. */
  readonly nameProperty?: string;
  /** Properties run here, or without meaning on one machine; `any`: nothing of the type runs here (its comment says why). */
  readonly properties: readonly string[] | 'any';
  identity(named: Named): Identity;
}

const arn = ({ region, accountId }: Place, service: string, rest: string) =>
  `arn:aws:${service}:${region}:${accountId}:${rest}`;
const nameAndArn =
  (service: string, prefix = '') =>
  ({ name, place }: Named): Identity => ({
    ref: name,
    attributes: { Arn: arn(place, service, `${prefix}${name}`) },
  });
const nameOnly = ({ name }: Named): Identity => ({ ref: name, attributes: {} });

const TAGS = ['Tags'];

export const RESOURCE_TYPES: Readonly<Record<string, ResourceType>> = {
  'AWS::Lambda::Function': {
    nameProperty: 'FunctionName',
    properties: [
      'FunctionName',
      'Handler',
      'Environment',
      'Timeout',
      'MemorySize',
      'ReservedConcurrentExecutions',
      // Deployment only: the code is the folder of the handler, the machine is this one.
      'Code',
      'Runtime',
      'Architectures',
      'Description',
      'Role',
      'TracingConfig',
      'KmsKeyArn',
      'VpcConfig',
      'EphemeralStorage',
      'LoggingConfig',
      ...TAGS,
    ],
    identity: nameAndArn('lambda', 'function:'),
  },
  'AWS::Lambda::EventSourceMapping': {
    properties: [
      'BatchSize',
      'MaximumBatchingWindowInSeconds',
      'EventSourceArn',
      'FunctionName',
      'Enabled',
      'FunctionResponseTypes',
      'ScalingConfig',
      ...TAGS,
    ],
    identity: nameOnly,
  },
  'AWS::S3::Bucket': {
    nameProperty: 'BucketName',
    properties: [
      'BucketName',
      'NotificationConfiguration',
      // The local store is private to this machine, keeps what it has, and encrypts as the disk does.
      'BucketEncryption',
      'PublicAccessBlockConfiguration',
      'OwnershipControls',
      'LifecycleConfiguration',
      'CorsConfiguration',
      ...TAGS,
    ],
    identity: ({ name }) => ({ ref: name, attributes: { Arn: `arn:aws:s3:::${name}` } }),
  },
  'AWS::SQS::Queue': {
    nameProperty: 'QueueName',
    properties: [
      'QueueName',
      'VisibilityTimeout',
      'MessageRetentionPeriod',
      'DelaySeconds',
      'RedrivePolicy',
      'SqsManagedSseEnabled',
      'KmsMasterKeyId',
      ...TAGS,
    ],
    identity: ({ name, place }) => ({
      ref: `https://sqs.${place.region}.amazonaws.com/${place.accountId}/${name}`,
      attributes: { Arn: arn(place, 'sqs', name), QueueName: name },
    }),
  },
  'AWS::Events::EventBus': {
    nameProperty: 'Name',
    properties: ['Name', 'Description', 'KmsKeyIdentifier', ...TAGS],
    identity: ({ name, place }) => ({
      ref: name,
      attributes: { Arn: arn(place, 'events', `event-bus/${name}`), Name: name },
    }),
  },
  'AWS::Events::Rule': {
    nameProperty: 'Name',
    properties: [
      'Name',
      'Description',
      'EventBusName',
      'EventPattern',
      'ScheduleExpression',
      'State',
      'Targets',
    ],
    identity: ({ name, place, property }) => {
      const bus = property('EventBusName');
      return {
        ref: bus ? `${bus}|${name}` : name,
        attributes: { Arn: arn(place, 'events', `rule/${bus ? `${bus}/` : ''}${name}`) },
      };
    },
  },
  'AWS::SNS::Topic': {
    nameProperty: 'TopicName',
    properties: ['TopicName', 'DisplayName', 'KmsMasterKeyId', ...TAGS],
    identity: ({ name, place }) => ({
      ref: arn(place, 'sns', name),
      attributes: { TopicArn: arn(place, 'sns', name), TopicName: name },
    }),
  },
  'AWS::SNS::Subscription': {
    properties: ['Protocol', 'Endpoint', 'TopicArn', 'RawMessageDelivery'],
    identity: nameOnly,
  },
  'AWS::StepFunctions::StateMachine': {
    nameProperty: 'StateMachineName',
    properties: [
      'StateMachineName',
      'StateMachineType',
      'RoleArn',
      'Definition',
      'DefinitionString',
      'DefinitionSubstitutions',
      'LoggingConfiguration',
      'TracingConfiguration',
      ...TAGS,
    ],
    identity: ({ name, place }) => ({
      ref: arn(place, 'states', `stateMachine:${name}`),
      attributes: { Arn: arn(place, 'states', `stateMachine:${name}`), Name: name },
    }),
  },
  'AWS::HealthImaging::Datastore': {
    nameProperty: 'DatastoreName',
    properties: ['DatastoreName', 'KmsKeyArn', ...TAGS],
    identity: () => {
      throw new TemplateError('only HealthImaging knows the id of a data store');
    },
  },
  'AWS::IAM::Role': {
    // Nobody else is on this machine: who may do what is checked in the template, not while running.
    nameProperty: 'RoleName',
    properties: 'any',
    identity: ({ name, place }) => ({
      ref: name,
      attributes: { Arn: `arn:aws:iam::${place.accountId}:role/${name}`, RoleId: name },
    }),
  },
  // Policies, permissions, logs and what watches the account: without meaning on one machine.
  'AWS::S3::BucketPolicy': { properties: 'any', identity: nameOnly },
  'AWS::SQS::QueuePolicy': { properties: 'any', identity: nameOnly },
  'AWS::SNS::TopicPolicy': { properties: 'any', identity: nameOnly },
  'AWS::Lambda::Permission': { properties: 'any', identity: nameOnly },
  'AWS::Logs::LogGroup': {
    nameProperty: 'LogGroupName',
    properties: 'any',
    identity: ({ name, place }) => ({
      ref: name,
      attributes: { Arn: `${arn(place, 'logs', `log-group:${name}`)}:*` },
    }),
  },
  'AWS::CloudWatch::Alarm': {
    nameProperty: 'AlarmName',
    properties: 'any',
    identity: nameAndArn('cloudwatch', 'alarm:'),
  },
  'AWS::CloudWatch::Dashboard': { nameProperty: 'DashboardName', properties: 'any', identity: nameOnly },
  'AWS::EC2::VPCEndpoint': { properties: 'any', identity: nameOnly },
  // Here the console has a server of its own, for the person at this machine: nobody signs in, and nothing is published.
  'AWS::ApiGatewayV2::Api': {
    properties: 'any',
    identity: ({ name, place }) => ({
      ref: apiIdOf(name),
      attributes: {
        ApiId: apiIdOf(name),
        ApiEndpoint: `https://${apiIdOf(name)}.execute-api.${place.region}.amazonaws.com`,
      },
    }),
  },
  'AWS::ApiGatewayV2::Stage': { properties: 'any', identity: nameOnly },
  'AWS::ApiGatewayV2::Authorizer': { properties: 'any', identity: nameOnly },
  'AWS::ApiGatewayV2::Integration': { properties: 'any', identity: nameOnly },
  'AWS::ApiGatewayV2::Route': { properties: 'any', identity: nameOnly },
};

/** Ten letters and digits, as API Gateway gives them. */
const apiIdOf = (name: string) => createHash('sha256').update(name).digest('hex').slice(0, 10);

/** Lower case, as bucket names must be; a digest keeps it unique and short. */
function inventedName(type: string, place: Place, logicalId: string): string {
  const name = `${place.stackName}-${logicalId}`;
  if (type !== 'AWS::S3::Bucket') return name;
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 8);
  return `${name.toLowerCase().slice(0, 50)}-${digest}`;
}

/** What `Ref` and `Fn::GetAtt` of a resource give here. Throws TemplateError for a type that is not in the table. */
export function identityOf(
  { Type, Properties = {} }: TemplateResource,
  logicalId: string,
  place: Place,
  resolveValue: (value: Json) => Json | undefined,
): Identity {
  const role = RESOURCE_TYPES[Type];
  if (!role) throw new TemplateError(`${logicalId}: ${Type} is not run locally`);
  const property = (name: string): string | undefined => {
    const value = Properties[name];
    const resolved = value === undefined ? undefined : resolveValue(value);
    return typeof resolved === 'string' ? resolved : undefined;
  };
  const given = role.nameProperty === undefined ? undefined : property(role.nameProperty);
  return role.identity({ name: given ?? inventedName(Type, place, logicalId), place, property });
}
