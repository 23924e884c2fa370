/** Each check of the packaged template passes on ours, and fails on a fault that is planted in a copy of it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';

// The permissions check bundles every function.
vi.setConfig({ testTimeout: 180_000 });

interface Template {
  Resources: Record<string, unknown>;
}

const root = join(import.meta.dirname, '../..');
const { checkTemplate, CHECKS } = (await import('../../scripts/check-template.mjs' as string)) as {
  checkTemplate(template: Template, folder?: string): Promise<string[]>;
  CHECKS: Record<string, (template: Template, folder: string) => string[] | Promise<string[]>>;
};
const { adapterProblems } = (await import('../../scripts/template-checks/permissions.mjs' as string)) as {
  adapterProblems(sources: readonly (readonly [name: string, code: string])[]): string[];
};
const ours = readFileSync(join(root, 'local/template.json'), 'utf8');
const copy = () => JSON.parse(ours) as Template;

/** Sets the value at a path like `Resources.UploadQueue.Properties.X`; undefined removes it. */
function plant(template: Template, path: string, value: unknown): Template {
  const steps = path.split('.');
  const last = steps.pop() as string;
  const parent = steps.reduce<Record<string, unknown>>(
    (at, step) => at[step] as Record<string, unknown>,
    template as unknown as Record<string, unknown>,
  );
  if (value === undefined) delete parent[last];
  else parent[last] = value;
  return template;
}

const Q = 'Resources.UploadQueue.Properties';
const DEAD = 'Resources.UploadDeadLetters.Properties';
const B = 'Resources.InboxBucket.Properties';
const ROLE = 'Resources.TakeUploadRole';
const STATEMENT = `${ROLE}.Properties.Policies.0.PolicyDocument.Statement.0`;
const MACHINE = 'Resources.IngestStateMachine.Properties';
const STATE = `${MACHINE}.Definition.States.TakeUpload`;
const FUNCTION = 'Resources.TakeUploadLambdaFunction';
const MAPPING = 'Resources.ReceiveUploadsEventSourceMappingSQSUploadQueue';
const QUEUE_POLICY = 'Resources.UploadQueuePolicy.Properties';
const TRUST = 'Resources.DataAccessRole.Properties.AssumeRolePolicyDocument.Statement.0';
const getAtt = (id: string, attribute: string) => ({ 'Fn::GetAtt': [id, attribute] });

/** What is planted, where, the value, which check sees it, and how it tells it. */
const FAULTS: readonly [string, string, unknown, string, RegExp][] = [
  ['a type that does not exist', 'Resources.UploadQueue.Type', 'AWS::SQS::Kue', 'resources', /^UploadQueue/],
  ['a property that does not exist', `${Q}.TimeOut`, 30, 'resources', /^UploadQueue.TimeOut/],
  ['a property of the wrong type', `${Q}.VisibilityTimeout`, 'soon', 'resources', /^UploadQueue.Visib/],
  ['a wrong nested property', `${B}.OwnershipControls.Rules.0.Owner`, 'x', 'resources', /^InboxBucket.Owner/],
  ['a missing property', `${QUEUE_POLICY}.Queues`, undefined, 'resources', /^UploadQueuePolicy.Queues: req/],
  ['a Ref to nothing', `${Q}.QueueName`, { Ref: 'Nope' }, 'references', /^UploadQueue/],
  ['an unknown attribute', `${Q}.QueueName`, getAtt('InboxBucket', 'Nope'), 'references', /^UploadQueue/],
  ['a Sub of nothing', `${Q}.QueueName`, { 'Fn::Sub': `x-\${Nope}` }, 'references', /^UploadQueue/],
  ['an unknown condition', `${Q}.QueueName`, { 'Fn::If': ['Nope', 'a', 'b'] }, 'references', /^UploadQueue/],
  ['a DependsOn of nothing', `${FUNCTION}.DependsOn`, ['Nope'], 'references', /^TakeUpload/],
  ['a Next that leads nowhere', `${STATE}.Next`, 'Nowhere', 'definitions', /^IngestStateMachine/],
  ['a JSONPath field', `${STATE}.ResultPath`, '$.x', 'definitions', /^IngestStateMachine/],
  [
    'a missing substitution',
    `${MACHINE}.DefinitionSubstitutions.TakeUploadFunctionArn`,
    undefined,
    'definitions',
    /TakeUploadFunctionArn/,
  ],
  ['an unused substitution', `${MACHINE}.DefinitionSubstitutions.Spare`, 'x', 'definitions', /Spare/],
  ['a function that nobody calls', MAPPING, undefined, 'definitions', /^ReceiveUploads/],
  [
    'a handler that is not there',
    `${FUNCTION}.Properties.Handler`,
    'dist/x/index.handler',
    'functions',
    /^Tak/,
  ],
  [
    'a permission without a reason',
    `${ROLE}.Metadata.reasons`,
    [],
    'access',
    /^TakeUploadRole\[0\]: no reason/,
  ],
  ['every action of a service', `${STATEMENT}.Action`, ['s3:*'], 'access', /^TakeUploadRole\[0\]: allows s3/],
  ['every resource', `${STATEMENT}.Resource`, '*', 'access', /^TakeUploadRole\[0\]: Resource/],
  [
    'a public bucket',
    `${B}.PublicAccessBlockConfiguration.BlockPublicAcls`,
    false,
    'access',
    /^InboxBucket: Bl/,
  ],
  [
    'a bucket without encryption',
    `${B}.BucketEncryption`,
    undefined,
    'access',
    /^InboxBucket: not encrypted/,
  ],
  ['a queue without encryption', DEAD, {}, 'access', /^UploadDeadLetters: not encrypted/],
  [
    'a bucket without TLS only',
    'Resources.InboxBucketPolicy',
    undefined,
    'access',
    /^InboxBucket: no policy/,
  ],
  [
    'a policy that allows everybody',
    `${QUEUE_POLICY}.PolicyDocument.Statement.0.Principal`,
    '*',
    'access',
    /^UploadQueuePolicy\[0\]: allows everybody/,
  ],
  [
    'an action that no code needs',
    `${STATEMENT}.Action`,
    ['s3:ListBucket', 's3:DeleteBucket'],
    'permissions',
    /^TakeUpload.*may s3:DeleteBucket, which its code never does/,
  ],
  [
    'an action that is missing',
    'Resources.VerifyFramesRole.Properties.Policies.0.PolicyDocument.Statement',
    [],
    'permissions',
    /^VerifyFrames.*may not medical-imaging:GetImageFrame/,
  ],
  [
    'a prefix that no code names',
    'Resources.WakeImportBatchRole.Properties.Policies.0.PolicyDocument.Statement.0.Resource',
    [{ 'Fn::Sub': `\${WorkBucket.Arn}/leases/*` }],
    'permissions',
    /^WakeImportBatch.*may reach work\/leases\//,
  ],
  [
    'a workflow that may not start its children',
    'Resources.IngestStateMachineRole.Properties.Policies.0.PolicyDocument.Statement',
    [],
    'workflows',
    /^IngestStateMachine: may not states:StartExecution/,
  ],
  [
    'a task that no table knows',
    `${STATE}.Resource`,
    'arn:aws:states:::dynamodb:putItem',
    'workflows',
    /^IngestStateMachine: the task dynamodb:putItem/,
  ],
  ['a role for any account', `${TRUST}.Condition`, undefined, 'access', /^DataAccessRole/],
  [
    'an open route to the API',
    'Resources.ConsoleWriteRoute.Properties.AuthorizationType',
    'NONE',
    'openings',
    /^ConsoleWriteRoute: POST \/api\/\{proxy\+\} is open/,
  ],
  [
    'a route with an authorizer that is none',
    'Resources.ConsoleReadRoute.Properties.AuthorizerId',
    { Ref: 'ConsoleStage' },
    'openings',
    /^ConsoleReadRoute: names no authorizer/,
  ],
  [
    'pages that take the API as well',
    'Resources.ConsoleReadRoute',
    undefined,
    'openings',
    /^GET \/\{proxy\+\} is open and takes \/api\/ as well/,
  ],
  [
    'an open route of any method',
    'Resources.ConsoleFilesRoute.Properties.RouteKey',
    'ANY /{proxy+}',
    'openings',
    /^ConsoleFilesRoute: ANY/,
  ],
  [
    'tokens for anybody',
    'Resources.ConsoleSignIn.Properties.JwtConfiguration',
    { Issuer: { Ref: 'consoleIssuer' } },
    'openings',
    /^ConsoleSignIn: takes tokens that are meant for others/,
  ],
  [
    'tokens in addresses',
    'Resources.ConsoleSignIn.Properties.IdentitySource',
    ['$request.querystring.token'],
    'openings',
    /^ConsoleSignIn: a token anywhere/,
  ],
  [
    'an API without a limit',
    'Resources.ConsoleStage.Properties.DefaultRouteSettings',
    undefined,
    'openings',
    /^ConsoleStage: no limit/,
  ],
  [
    'claims in its log',
    'Resources.ConsoleStage.Properties.AccessLogSettings.Format',
    '$context.authorizer.claims.email',
    'openings',
    /^ConsoleStage: logs the claim email/,
  ],
  [
    'a service that invokes for anybody',
    'Resources.ConsolePermission.Properties.SourceArn',
    undefined,
    'openings',
    /^ConsolePermission: apigateway.amazonaws.com may invoke for anybody/,
  ],
  [
    'CORS for every page',
    `${B}.CorsConfiguration.Fn::If.1.CorsRules.0.AllowedOrigins`,
    ['*'],
    'openings',
    /^InboxBucket: CORS lets pages of many origins in/,
  ],
  [
    'CORS for every header',
    `${B}.CorsConfiguration.Fn::If.1.CorsRules.0.AllowedHeaders`,
    ['*'],
    'openings',
    /^InboxBucket: CORS lets any header/,
  ],
  [
    'CORS to delete',
    `${B}.CorsConfiguration.Fn::If.1.CorsRules.0.AllowedMethods`,
    ['PUT', 'DELETE'],
    'openings',
    /^InboxBucket: CORS lets pages DELETE/,
  ],
  [
    'a decision that its function may not carry out',
    'Resources.DecideSeriesRole.Properties.Policies.0.PolicyDocument.Statement',
    [],
    'permissions',
    /^DecideSeries.*may not medical-imaging:CopyImageSet/,
  ],
  [
    'a console that may decide by itself',
    'Resources.ServeConsoleRole.Properties.Policies.0.PolicyDocument.Statement.0.Action',
    ['states:ListExecutions', 'states:StartExecution', 'medical-imaging:DeleteImageSet'],
    'permissions',
    /^ServeConsole.*may medical-imaging:DeleteImageSet, which its code never does/,
  ],
];

describe('the packaged template', () => {
  it('passes every check', async () => {
    expect(await checkTemplate(copy(), root)).toEqual([]);
  });

  it.each(FAULTS)('with %s is refused', async (_name, path, value, check, problem) => {
    const problems = await CHECKS[check]!(plant(copy(), path, value), root);
    expect(
      problems.some((line) => problem.test(line)),
      problems.join('\n'),
    ).toBe(true);
  });
});

describe('the adapters of HealthImaging', () => {
  const sources = ['healthimaging-service.ts', 'image-set-editor.ts'].map(
    (name) => [name, readFileSync(join(root, 'shared/adapters', name), 'utf8')] as const,
  );
  const withFault = (from: string, to: string) =>
    sources.map(([name, code]) => [name, code.replace(from, to)] as const);

  it('do what the table of actions says', () => {
    expect(adapterProblems(sources)).toEqual([]);
  });

  it.each([
    [
      'a signed request of another action',
      "action: 'GetImageFrame'",
      "action: 'GetDICOMInstance'",
      /does medical-imaging:GetDICOMInstance/,
    ],
    [
      'an action that nothing sends any more',
      "action: 'GetImageFrame'",
      "action: 'GetImageSetMetadata'",
      /never does medical-imaging:GetImageFrame/,
    ],
    [
      'a signed request that hides its action',
      "action: 'GetImageFrame',",
      '...request,',
      /signedBytes without a literal action/,
    ],
    [
      'a command that no table knows',
      'new GetImageSetCommand(',
      'new DeleteDatastoreCommand(',
      /does medical-imaging:DeleteDatastore/,
    ],
  ])('with %s are refused', (_name, from, to, problem) => {
    expect(adapterProblems(withFault(from, to)).some((line) => problem.test(line))).toBe(true);
  });
});
