/**
 * A plugin of the deploy tool, for what it lacks: the parameters checked before packaging, rules between them, a role for
 * each function from the `permissions` that stand beside the function, and for each state machine the ARNs of the functions
 * that its definition names, with the right to invoke them.
 */
import { readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { parsePairs, parseParameters } from '../local/world/parameters.mjs';

const pascal = (name) => name[0].toUpperCase() + name.slice(1);
const roleOf = (name) => `${pascal(name)}Role`;
const att = (id, attribute) => ({ 'Fn::GetAtt': [id, attribute] });
const sub = (text) => ({ 'Fn::Sub': text });
const states = (kind, rest) =>
  sub(`arn:\${AWS::Partition}:states:\${AWS::Region}:\${AWS::AccountId}:${kind}:\${AWS::StackName}-${rest}`);
const datastore = (rest) =>
  sub(`arn:\${AWS::Partition}:medical-imaging:\${AWS::Region}:\${AWS::AccountId}:datastore/\${Id}${rest}`);
const DATASTORE_ID = { 'Fn::If': ['MakeDatastore', att('Datastore', 'DatastoreId'), { Ref: 'datastoreId' }] };
const withId = ({ 'Fn::Sub': text }) => ({ 'Fn::Sub': [text, { Id: DATASTORE_ID }] });

/** The short names that `on` may use. */
const RESOURCES = {
  inbox: att('InboxBucket', 'Arn'),
  work: att('WorkBucket', 'Arn'),
  queue: att('UploadQueue', 'Arn'),
  bus: att('EventBus', 'Arn'),
  topic: { Ref: 'NotificationTopic' },
  dataAccessRole: att('DataAccessRole', 'Arn'),
  datastore: withId(datastore('')),
  'datastore/imagesets': withId(datastore('/imageset/*')),
  ingest: states('stateMachine', 'ingest'),
  'ingest/executions': states('execution', 'ingest:*'),
  'ingest/map-runs': states('mapRun', 'ingest/*'),
  'import-batch': states('stateMachine', 'import-batch'),
  decideSeries: att('DecideSeriesLambdaFunction', 'Arn'),
};
/** Conditions that belong to an action wherever it is granted. */
const CONDITIONS = {
  'iam:PassRole': { StringEquals: { 'iam:PassedToService': 'medical-imaging.amazonaws.com' } },
};
/** What every function needs; the last only with a key of one's own. */
const COMMON_REASONS = [
  'writes its log',
  'tracing has no resources to name',
  "with a key of one's own, buckets and queue need it",
];

function resource(name) {
  if (RESOURCES[name]) return RESOURCES[name];
  const objects = /^(inbox|work)\/(.+)$/.exec(name);
  if (objects) return sub(`\${${pascal(objects[1])}Bucket.Arn}/${objects[2]}`);
  throw new Error(`permissions: "${name}" is not a resource that scripts/serverless-permissions.mjs knows`);
}

function statement({ allow, on }) {
  const actions = [allow].flat();
  const resources = [on].flat().map(resource);
  const condition = actions.map((action) => CONDITIONS[action]).find(Boolean);
  return {
    Effect: 'Allow',
    Action: actions,
    Resource: resources,
    ...(condition ? { Condition: condition } : {}),
  };
}

const commonStatements = (functionName) => [
  {
    Effect: 'Allow',
    Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
    Resource: [
      sub(
        `arn:\${AWS::Partition}:logs:\${AWS::Region}:\${AWS::AccountId}:log-group:/aws/lambda/${functionName}:*`,
      ),
    ],
  },
  { Effect: 'Allow', Action: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'], Resource: '*' },
  {
    'Fn::If': [
      'HasKmsKey',
      {
        Effect: 'Allow',
        Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
        Resource: { Ref: 'kmsKeyArn' },
      },
      { Ref: 'AWS::NoValue' },
    ],
  },
];

const trust = (service) => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' }],
});

/** The role of one function: its permissions in their order, then what every function needs. */
function functionRole(name, { permissions = [], name: functionName, condition }) {
  return {
    Type: 'AWS::IAM::Role',
    ...(condition ? { Condition: condition } : {}),
    Metadata: { reasons: [...permissions.map(({ because }) => because), ...COMMON_REASONS] },
    Properties: {
      Description: `What ${name} may do`,
      AssumeRolePolicyDocument: trust('lambda.amazonaws.com'),
      Policies: [
        {
          PolicyName: 'function',
          PolicyDocument: {
            Version: '2012-10-17',
            Statement: [...permissions.map(statement), ...commonStatements(functionName)],
          },
        },
      ],
    },
  };
}

/** The names inside `${…}` of a definition. */
const namesIn = (definition) =>
  [...new Set([...JSON.stringify(definition).matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name))].sort();

/** `${TakeUploadFunctionArn}` in a definition → the function's ARN, and the right to invoke it; other values that are used. */
function wireStateMachine(machine, functions, resources) {
  const { Definition, DefinitionSubstitutions } = machine.Properties;
  const ofFunctions = Object.fromEntries(
    functions.map((name) => [`${pascal(name)}FunctionArn`, att(`${pascal(name)}LambdaFunction`, 'Arn')]),
  );
  const known = { ...DefinitionSubstitutions, ...ofFunctions };
  const names = namesIn(Definition);
  const unknown = names.filter((name) => !(name in known));
  if (unknown.length > 0)
    throw new Error(`a state machine names ${unknown.join(', ')}: nothing gives a value`);
  machine.Properties.DefinitionSubstitutions = Object.fromEntries(names.map((name) => [name, known[name]]));
  const invoked = names.filter((name) => name in ofFunctions).map((name) => ofFunctions[name]);
  const role = resources[machine.Properties.RoleArn['Fn::GetAtt'].at(0)];
  role.Metadata.reasons.unshift('invokes the functions of its states');
  role.Properties.Policies[0].PolicyDocument.Statement.unshift({
    Effect: 'Allow',
    Action: 'lambda:InvokeFunction',
    Resource: invoked,
  });
}

export default class Permissions {
  constructor(serverless, options) {
    this.service = serverless.service;
    this.options = options;
    this.refusal = serverless.classes.Error;
    serverless.configSchemaHandler.defineFunctionProperties('aws', {
      type: 'object',
      properties: {
        permissions: {
          type: 'array',
          items: {
            type: 'object',
            required: ['allow', 'on', 'because'],
            additionalProperties: false,
            properties: { allow: {}, on: {}, because: { type: 'string' } },
          },
        },
      },
    });
    this.hooks = {
      'before:package:initialize': () => {
        this.checkParameters();
        this.nameRolesAndFolders();
      },
      'before:package:finalize': () => this.addRoles(),
    };
  }

  /** Wrong values are told before anything is packaged or deployed. */
  checkParameters() {
    try {
      const given = parsePairs([this.options.param ?? []].flat());
      parseParameters(this.service.resources.Parameters, given, this.service.custom.rules);
    } catch (error) {
      throw new this.refusal(error.message, 'ILL_FORMED_PARAMETER');
    }
  }

  /** Each function gets its own role, and carries only the folder of its handler and the chunks that it imports. */
  nameRolesAndFolders() {
    const files = JSON.parse(readFileSync(new URL('../dist/functions/files.json', import.meta.url), 'utf8'));
    for (const [name, fn] of Object.entries(this.service.functions)) {
      fn.role = roleOf(name);
      fn.package = { patterns: files[basename(dirname(fn.handler))] ?? [] };
    }
  }

  addRoles() {
    const template = this.service.provider.compiledCloudFormationTemplate;
    const own = this.service.resources.Resources;
    // The deploy tool's schema of `resources` has no word for them.
    template.Rules = this.service.custom.rules;
    for (const [name, fn] of Object.entries(this.service.functions))
      template.Resources[roleOf(name)] = functionRole(name, fn);
    const machines = Object.values(own).filter(({ Type }) => Type === 'AWS::StepFunctions::StateMachine');
    for (const machine of machines) wireStateMachine(machine, Object.keys(this.service.functions), own);
  }
}
