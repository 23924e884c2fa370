/**
 * What each function's role allows against what its code can do. The code is looked at after tree shaking from its
 * handler, with the adapters left outside, so that what remains is what can be reached: every method of a port that it
 * calls needs its actions, every kind of key that it names needs its prefix; and what nothing needs must not be allowed.
 * Requests that code signs without the SDK say their action themselves: `signedRequest({ action: 'GetDICOMInstance' …`, or
 * hand it on to what signs (`'medical-imaging:GetDICOMInstance'`); SDK commands that code makes itself are in a table.
 * Which action goes to which prefix is held against the calls of a real run, in test/template/permissions.test.ts.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { buildSync } from 'esbuild';

/** Methods of our ports → IAM actions of the SDK calls that their adapters make. */
export const PORT_ACTIONS = {
  objects: {
    list: ['s3:ListBucket'],
    head: ['s3:GetObject'],
    read: ['s3:GetObject'],
    stream: ['s3:GetObject'],
    write: ['s3:PutObject'],
    writeStream: ['s3:PutObject', 's3:AbortMultipartUpload'],
    copy: ['s3:GetObject', 's3:PutObject', 's3:AbortMultipartUpload'],
    remove: ['s3:DeleteObject'],
  },
  imaging: {
    startImportJob: ['medical-imaging:StartDICOMImportJob', 'iam:PassRole'],
    importJob: ['medical-imaging:GetDICOMImportJob'],
    searchImageSets: ['medical-imaging:SearchImageSets'],
    listImageSets: ['medical-imaging:SearchImageSets'],
    imageSet: ['medical-imaging:GetImageSet'],
    metadata: ['medical-imaging:GetImageSetMetadata'],
    frame: ['medical-imaging:GetImageFrame'],
    tag: ['medical-imaging:TagResource'],
    update: ['medical-imaging:UpdateImageSetMetadata'],
    revert: ['medical-imaging:UpdateImageSetMetadata'],
    removeInstances: ['medical-imaging:UpdateImageSetMetadata'],
    copy: ['medical-imaging:CopyImageSet'],
    promote: ['medical-imaging:CopyImageSet'],
    delete: ['medical-imaging:DeleteImageSet'],
  },
  executions: {
    start: ['states:StartExecution'],
    status: ['states:DescribeExecution'],
    succeed: ['states:SendTaskSuccess'],
    arnOf: [],
  },
  places: {
    file: ['s3:PutObject'],
    part: ['s3:PutObject'],
    download: ['s3:GetObject'],
  },
};
/** Names by which the code holds a port. */
const HELD_AS = {
  objects: 'objects',
  store: 'objects',
  imaging: 'imaging',
  executions: 'executions',
  places: 'places',
};
/** Commands of the SDK that code outside of the adapters makes → IAM actions. */
const COMMAND_ACTIONS = {
  CreateMultipartUpload: 's3:PutObject',
  CompleteMultipartUpload: 's3:PutObject',
  ListParts: 's3:ListMultipartUploadParts',
  ListMultipartUploads: 's3:ListBucketMultipartUploads',
  AbortMultipartUpload: 's3:AbortMultipartUpload',
  DescribeExecution: 'states:DescribeExecution',
  DescribeMapRun: 'states:DescribeMapRun',
  GetExecutionHistory: 'states:GetExecutionHistory',
  ListExecutions: 'states:ListExecutions',
  ListMapRuns: 'states:ListMapRuns',
  StopExecution: 'states:StopExecution',
};
/** Functions of adapters that are no port's → IAM actions. */
const CALL_ACTIONS = { invokeLater: 'lambda:InvokeFunction' };
/** Every function: its log and its traces; the key only where there is one. */
const COMMON = [
  'logs:CreateLogStream',
  'logs:PutLogEvents',
  'xray:PutTraceSegments',
  'xray:PutTelemetryRecords',
];
/** Ends one's own unfinished upload; code that writes small and large objects alike looks as if it always might. */
const HARMLESS = new Set(['s3:AbortMultipartUpload']);
const POLLER = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'];

/** What each of the files does, by file: bundled without its adapters. */
function bundles(root, files) {
  const { outputFiles } = buildSync({
    absWorkingDir: root,
    entryPoints: files,
    bundle: true,
    write: false,
    outdir: root,
    outbase: root,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    external: ['../shared/adapters/*', '../adapters/*'],
    minifySyntax: true,
    logLevel: 'error',
  });
  return new Map(outputFiles.map(({ path, text }) => [relative(root, path).replace(/\.js$/, '.ts'), text]));
}

/** The actions of requests that the code signs without the SDK; one that does not say its action is unknown. */
function signedActions(code) {
  const actions = new Set();
  const unknown = [];
  for (const [, method, action] of code.matchAll(
    /\.(signedRequest|signedBytes)\((?:\s*\{\s*action:\s*["'](\w+)["'])?/g,
  ))
    if (action) actions.add(`medical-imaging:${action}`);
    else unknown.push(`${method} without a literal action`);
  return { actions, unknown };
}

/** The module that signs, whose own request is never sent; and the one that hands on what its callers name. */
const SIGNING = ['signed-imaging.ts', 'handed-on-imaging.ts'];

/** Actions of SDK commands, of adapters' functions, and of requests that are handed on with the action's whole name. */
function directActions(code) {
  const actions = new Set();
  const unknown = [];
  for (const [, command] of code.matchAll(/\bnew (\w+?)Command\d*\(/g))
    if (COMMAND_ACTIONS[command]) actions.add(COMMAND_ACTIONS[command]);
    else unknown.push(`${command}Command`);
  for (const [name, action] of Object.entries(CALL_ACTIONS))
    if (new RegExp(`(?<!function )\\b${name}\\(`).test(code)) actions.add(action);
  for (const [, action] of code.matchAll(/["'](medical-imaging:[A-Z]\w+)["']/g)) actions.add(action);
  return { actions, unknown };
}

/**
 * The adapters of HealthImaging, in `sources` (name and text): what they send, through the SDK or signed by themselves,
 * against what the table says that the port's methods need.
 */
export function adapterProblems(sources) {
  const needed = new Set(Object.values(PORT_ACTIONS.imaging).flat());
  // StartDICOMImportJob hands a role on, which is no call.
  const sent = new Set(['iam:PassRole']);
  const problems = [];
  for (const [name, code] of sources) {
    if (SIGNING.includes(name) || !/client-medical-imaging|signed-imaging/.test(code)) continue;
    for (const [, command] of code.matchAll(/new (\w+)Command\(/g)) sent.add(`medical-imaging:${command}`);
    const { actions, unknown } = signedActions(code);
    for (const action of actions) sent.add(action);
    problems.push(...unknown.map((call) => `shared/adapters/${name}: ${call}`));
  }
  return [
    ...problems,
    ...minus(sent, needed).map(
      (action) => `shared/adapters: does ${action}, which no table of actions knows`,
    ),
    ...minus(needed, sent).map((action) => `shared/adapters: never does ${action}, which the table names`),
  ];
}

const adapterSources = (root) => {
  const folder = join(root, 'shared/adapters');
  return readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]);
};

/** What the code of a function can do: actions, methods that no table knows, first segments of the keys it names. */
function needsOf(code) {
  const [signed, direct] = [signedActions(code), directActions(code)];
  const actions = new Set([...signed.actions, ...direct.actions]);
  const unknown = [...signed.unknown, ...direct.unknown];
  for (const [, held, method] of code.matchAll(/\b(objects|store|imaging|executions|places)\.(\w+)\(/g)) {
    // A list of executions is no port.
    if (method in Array.prototype) continue;
    const needed = PORT_ACTIONS[HELD_AS[held]][method];
    if (needed) for (const action of needed) actions.add(action);
    else unknown.push(`${held}.${method}`);
  }
  const keys = new Set([...code.matchAll(/\bworkKeys\.(\w+)/g)].map(([, key]) => key));
  return { actions, unknown, keys };
}

/** The first segment of each kind of key in the work bucket, from the module that knows the layout. */
async function keyPrefixes(root) {
  const [code] = bundles(root, ['shared/ingest/work-keys.ts']).values();
  const { workKeys } = await import(`data:text/javascript;base64,${Buffer.from(code).toString('base64')}`);
  return Object.fromEntries(
    Object.entries(workKeys).map(([name, key]) => {
      const examples =
        typeof key === 'function' ? ['rejected', 'failed'].map((kind) => key(kind, 'x', 'y')) : [key];
      return [name, examples.map((example) => example.split('/')[0])];
    }),
  );
}

const plain = (statement) => statement['Fn::If']?.slice(1).find(({ Effect }) => Effect) ?? statement;
const statementsOf = (role) =>
  role.Properties.Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement);

/** What a role allows: actions, and prefixes of the work bucket. The KMS key aside. */
function grantsOf(role) {
  const statements = statementsOf(role).map(plain);
  const resources = JSON.stringify(statements.map(({ Resource }) => Resource));
  return {
    actions: new Set(
      statements.flatMap(({ Action }) => Action).filter((action) => !action.startsWith('kms:')),
    ),
    prefixes: new Set(
      [...resources.matchAll(/\$\{WorkBucket\.Arn\}\/([^/"*]+)\//g)].map(([, prefix]) => prefix),
    ),
  };
}

const kebab = (id) =>
  id
    .replace(/LambdaFunction$/, '')
    .replace(/(?<=.)[A-Z]/g, (letter) => `-${letter}`)
    .toLowerCase();
const sourceOf = (logicalId) => `functions/${kebab(logicalId)}.ts`;
const minus = (a, b) => [...a].filter((item) => !b.has(item)).sort();

function compare(logicalId, needs, grants, prefixOf, isPolled) {
  const wanted = new Set([...needs.actions, ...COMMON, ...(isPolled ? POLLER : [])]);
  // Without ListBucket a missing object answers 403, which the code would take for a refusal.
  if (wanted.has('s3:GetObject')) wanted.add('s3:ListBucket');
  const prefixes = new Set([...needs.keys].flatMap((key) => prefixOf[key] ?? []));
  return [
    ...needs.unknown.map((call) => `${logicalId}: calls ${call}, which no table of actions knows`),
    ...minus(wanted, new Set([...grants.actions, ...HARMLESS])).map(
      (action) => `${logicalId}: may not ${action}, which its code does`,
    ),
    ...minus(grants.actions, new Set([...wanted, ...HARMLESS])).map(
      (action) => `${logicalId}: may ${action}, which its code never does`,
    ),
    ...minus(prefixes, grants.prefixes).map(
      (prefix) => `${logicalId}: may not reach work/${prefix}/, which its code names`,
    ),
    ...minus(grants.prefixes, prefixes).map(
      (prefix) => `${logicalId}: may reach work/${prefix}/, which its code never names`,
    ),
    ...(needs.inbox && !grants.inbox ? [`${logicalId}: may not reach the inbox, which its code names`] : []),
    ...(grants.inbox && !needs.inbox
      ? [`${logicalId}: may reach the inbox, which its code never names`]
      : []),
  ];
}

export async function checkPermissions({ Resources }, root) {
  const prefixOf = await keyPrefixes(root);
  const mappings = Object.values(Resources).filter(({ Type }) => Type === 'AWS::Lambda::EventSourceMapping');
  const polled = new Set(mappings.map(({ Properties }) => Properties.FunctionName['Fn::GetAtt'][0]));
  const functions = Object.entries(Resources)
    .filter(([, { Type }]) => Type === 'AWS::Lambda::Function')
    .filter(([logicalId]) => existsSync(join(root, sourceOf(logicalId))));
  // One call for all: they share most of their modules.
  const code = bundles(
    root,
    functions.map(([logicalId]) => sourceOf(logicalId)),
  );
  const ofFunctions = functions.flatMap(([logicalId, { Properties }]) => {
    const role = Resources[Properties.Role['Fn::GetAtt'][0]];
    const needs = needsOf(code.get(sourceOf(logicalId)));
    return compare(logicalId, needs, grantsOf(role), prefixOf, polled.has(logicalId));
  });
  return [...adapterProblems(adapterSources(root)), ...ofFunctions];
}
