/**
 * What this runtime knows of the Amazon States Language (JSONata): the loader refuses everything that is not in these
 * tables, and docs/step-functions.md is held against them.
 */

interface Fields {
  readonly required: readonly string[];
  readonly optional: readonly string[];
}

const COMMON = ['Comment', 'QueryLanguage'] as const;
const FLOW = ['Next', 'End', 'Output', 'Assign'] as const;

/** State type → its fields. */
export const STATE_FIELDS = {
  Task: {
    required: ['Type', 'Resource'],
    optional: [...COMMON, ...FLOW, 'Arguments', 'TimeoutSeconds', 'HeartbeatSeconds', 'Retry', 'Catch'],
  },
  Pass: { required: ['Type'], optional: [...COMMON, ...FLOW] },
  Choice: { required: ['Type', 'Choices'], optional: [...COMMON, 'Default', 'Output', 'Assign'] },
  Wait: { required: ['Type'], optional: [...COMMON, ...FLOW, 'Seconds', 'Timestamp'] },
  Parallel: {
    required: ['Type', 'Branches'],
    optional: [...COMMON, ...FLOW, 'Arguments', 'Retry', 'Catch'],
  },
  Map: {
    required: ['Type', 'ItemProcessor'],
    optional: [...COMMON, ...FLOW, 'Items', 'ItemSelector', 'MaxConcurrency', 'Retry', 'Catch'],
  },
  Succeed: { required: ['Type'], optional: [...COMMON, 'Output'] },
  Fail: { required: ['Type'], optional: [...COMMON, 'Error', 'Cause'] },
} as const satisfies Record<string, Fields>;

export type StateType = keyof typeof STATE_FIELDS;

/** What a Map in mode DISTRIBUTED may have besides. */
export const DISTRIBUTED_MAP_FIELDS = [
  'ItemReader',
  'ItemBatcher',
  'ResultWriter',
  'Label',
  'ToleratedFailureCount',
  'ToleratedFailurePercentage',
] as const;

/** Objects inside a definition → their fields. */
export const OBJECT_FIELDS = {
  stateMachine: {
    required: ['StartAt', 'States', 'QueryLanguage'],
    optional: ['Comment', 'TimeoutSeconds', 'Version'],
  },
  branch: { required: ['StartAt', 'States'], optional: ['Comment'] },
  itemProcessor: {
    required: ['StartAt', 'States'],
    optional: ['Comment', 'ProcessorConfig'],
  },
  processorConfig: { required: ['Mode'], optional: ['ExecutionType'] },
  choice: { required: ['Condition', 'Next'], optional: ['Comment', 'Output', 'Assign'] },
  retrier: {
    required: ['ErrorEquals'],
    optional: [
      'Comment',
      'IntervalSeconds',
      'MaxAttempts',
      'BackoffRate',
      'MaxDelaySeconds',
      'JitterStrategy',
    ],
  },
  catcher: { required: ['ErrorEquals', 'Next'], optional: ['Comment', 'Output', 'Assign'] },
  itemReader: { required: ['Resource', 'Arguments'], optional: ['ReaderConfig'] },
  readerConfig: { required: [], optional: ['InputType', 'MaxItems'] },
  itemBatcher: {
    required: [],
    optional: ['MaxItemsPerBatch', 'MaxInputBytesPerBatch', 'BatchInput'],
  },
  resultWriter: { required: [], optional: ['Resource', 'Arguments', 'WriterConfig'] },
  resultArguments: { required: ['Bucket'], optional: ['Prefix'] },
  writerConfig: { required: ['Transformation', 'OutputType'], optional: [] },
} as const satisfies Record<string, Fields>;

/** Task resources → the arguments that each takes. */
export const TASK_RESOURCES = {
  'arn:aws:states:::lambda:invoke': { required: ['FunctionName'], optional: ['Payload'] },
  'arn:aws:states:::lambda:invoke.waitForTaskToken': { required: ['FunctionName'], optional: ['Payload'] },
  'arn:aws:states:::states:startExecution.sync:2': {
    required: ['StateMachineArn'],
    optional: ['Input', 'Name'],
  },
  'arn:aws:states:::events:putEvents': { required: ['Entries'], optional: [] },
  'arn:aws:states:::sns:publish': { required: ['TopicArn', 'Message'], optional: ['Subject'] },
} as const satisfies Record<string, Fields>;

/** Resources that wait for a callback with a token. */
export const waitsForToken = (resource: string): boolean => resource.endsWith('.waitForTaskToken');

/** Resources that wait for a job or a callback: not in EXPRESS executions. */
export const isSync = (resource: string): boolean => resource.includes('.sync') || waitsForToken(resource);

export type TaskResource = keyof typeof TASK_RESOURCES;

/** ItemReader resources → their arguments. */
export const READER_RESOURCES = {
  'arn:aws:states:::s3:getObject': { required: ['Bucket', 'Key'], optional: [] },
  'arn:aws:states:::s3:listObjectsV2': { required: ['Bucket'], optional: ['Prefix'] },
} as const satisfies Record<string, Fields>;

export type ReaderResource = keyof typeof READER_RESOURCES;

export const WRITER_RESOURCE = 'arn:aws:states:::s3:putObject';

/** Fields with a fixed set of words. */
export const WORDS = {
  QueryLanguage: ['JSONata'],
  Mode: ['INLINE', 'DISTRIBUTED'],
  ExecutionType: ['STANDARD', 'EXPRESS'],
  JitterStrategy: ['FULL', 'NONE'],
  InputType: ['JSON', 'JSONL'],
  Transformation: ['NONE', 'COMPACT', 'FLATTEN'],
  OutputType: ['JSON', 'JSONL'],
} as const;
