/**
 * What each state machine's role allows against what its definition does: functions, nested executions with their managed
 * rule, children of distributed maps, shards in S3, events and topics; and nothing more.
 */

/** `arn:aws:states:::<key>` → the actions that its role needs. */
const TASKS = {
  'lambda:invoke': ['lambda:InvokeFunction'],
  'lambda:invoke.waitForTaskToken': ['lambda:InvokeFunction'],
  'states:startExecution.sync:2': [
    'states:StartExecution',
    'states:DescribeExecution',
    'states:StopExecution',
    'events:PutTargets',
    'events:PutRule',
    'events:DescribeRule',
  ],
  'events:putEvents': ['events:PutEvents'],
  'sns:publish': ['sns:Publish'],
  's3:getObject': ['s3:GetObject'],
  's3:listObjectsV2': ['s3:ListBucket'],
  's3:putObject': ['s3:PutObject', 's3:GetObject', 's3:ListMultipartUploadParts', 's3:AbortMultipartUpload'],
};
/** A distributed map starts, watches and stops children of its own state machine. */
const DISTRIBUTED = ['states:StartExecution', 'states:DescribeExecution', 'states:StopExecution'];
const LOGGING = [
  'CreateLogDelivery',
  'GetLogDelivery',
  'UpdateLogDelivery',
  'DeleteLogDelivery',
  'ListLogDeliveries',
]
  .concat('PutResourcePolicy', 'DescribeResourcePolicies', 'DescribeLogGroups')
  .map((name) => `logs:${name}`);
const TRACING = ['PutTraceSegments', 'PutTelemetryRecords', 'GetSamplingRules', 'GetSamplingTargets'].map(
  (name) => `xray:${name}`,
);

function needsOf({ Definition, LoggingConfiguration, TracingConfiguration }) {
  const actions = new Set([
    ...(LoggingConfiguration ? LOGGING : []),
    ...(TracingConfiguration?.Enabled ? TRACING : []),
  ]);
  const unknown = [];
  const walk = (value) => {
    if (typeof value !== 'object' || value === null) return;
    const [, task] = /^arn:aws:states:::(.+)$/.exec(value.Resource ?? '') ?? [];
    if (task && !TASKS[task]) unknown.push(task);
    for (const action of TASKS[task] ?? []) actions.add(action);
    if (value.ProcessorConfig?.Mode === 'DISTRIBUTED') for (const action of DISTRIBUTED) actions.add(action);
    Object.values(value).forEach(walk);
  };
  walk(Definition);
  return { actions, unknown };
}

const plain = (statement) => statement['Fn::If']?.slice(1).find(({ Effect }) => Effect) ?? statement;
const minus = (a, b) => [...a].filter((item) => !b.has(item)).sort();

export function checkWorkflowPermissions({ Resources }) {
  return Object.entries(Resources)
    .filter(([, { Type }]) => Type === 'AWS::StepFunctions::StateMachine')
    .flatMap(([logicalId, { Properties }]) => {
      const role = Resources[Properties.RoleArn['Fn::GetAtt'][0]];
      const statements = role.Properties.Policies.flatMap(
        ({ PolicyDocument }) => PolicyDocument.Statement,
      ).map(plain);
      const granted = new Set(
        statements.flatMap(({ Action }) => Action).filter((action) => !action.startsWith('kms:')),
      );
      const { actions, unknown } = needsOf(Properties);
      return [
        ...unknown.map((task) => `${logicalId}: the task ${task} is not in the table of actions`),
        ...minus(actions, granted).map(
          (action) => `${logicalId}: may not ${action}, which its definition does`,
        ),
        ...minus(granted, actions).map(
          (action) => `${logicalId}: may ${action}, which its definition never does`,
        ),
      ];
    });
}
