/** One loader a state type: from the fields as written to the compiled state. */
import type { Template } from '../evaluate/template.ts';
import { typeName } from '../json.ts';
import { LIMITS } from '../limits.ts';
import {
  DISTRIBUTED_MAP_FIELDS,
  OBJECT_FIELDS,
  READER_RESOURCES,
  type ReaderResource,
  STATE_FIELDS,
  type StateType,
  TASK_RESOURCES,
  type TaskResource,
  WORDS,
  WRITER_RESOURCE,
} from './fields.ts';
import type { Loading } from './loader.ts';
import type {
  Catcher,
  ItemBatcher,
  ItemReader,
  Leaving,
  ResultWriter,
  Retrier,
  Scope,
  State,
} from './model.ts';

export interface StateBase extends Leaving {
  readonly name: string;
  readonly next?: string;
  readonly retry: readonly Retrier[];
  readonly catch: readonly Catcher[];
}

type Fields = Record<string, unknown>;
type StateLoader = (loading: Loading, base: StateBase, fields: Fields, path: string) => State;

/** Longest timeout and wait of the service, in seconds. */
const LONGEST_SECONDS = 99_999_999;

const known = (
  loading: Loading,
  fields: Fields,
  path: string,
  type: StateType,
  more: readonly string[] = [],
) => {
  const { required, optional } = STATE_FIELDS[type];
  loading.problems.object(fields, path, { required, optional: [...optional, ...more] });
};

/** Spreads to nothing when the value is absent, as exactOptionalPropertyTypes wants it. */
const maybe = <K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } =>
  value === undefined ? {} : ({ [key]: value } as { [P in K]: V });

export const STATE_LOADERS: Record<StateType, StateLoader> = {
  Task: (loading, base, fields, path) => {
    known(loading, fields, path, 'Task');
    const resource = loading.problems.string(fields.Resource, `${path}.Resource`) as TaskResource;
    const timeoutSeconds = loading.number(fields, 'TimeoutSeconds', path, { min: 1, max: LONGEST_SECONDS });
    const heartbeatSeconds = loading.number(fields, 'HeartbeatSeconds', path, {
      min: 1,
      max: LONGEST_SECONDS,
    });
    checkHeartbeat(loading, fields, path);
    return {
      ...base,
      type: 'Task',
      resource,
      arguments: resourceArguments(loading, resource, TASK_RESOURCES, fields, path),
      ...maybe('timeoutSeconds', timeoutSeconds),
      ...maybe('heartbeatSeconds', heartbeatSeconds),
    };
  },
  Pass: (loading, base, fields, path) => {
    known(loading, fields, path, 'Pass');
    return { ...base, type: 'Pass' };
  },
  Choice: (loading, base, fields, path) => {
    known(loading, fields, path, 'Choice');
    const choices = loading.problems.array(fields.Choices, `${path}.Choices`).map((item, index) => {
      const at = `${path}.Choices[${index}]`;
      const choice = loading.problems.object(item, at, OBJECT_FIELDS.choice);
      const condition = loading.template(choice.Condition ?? false, at, 'Condition');
      if (condition.constant !== undefined && typeof condition.constant !== 'boolean') {
        loading.problems.add(`${at}.Condition`, 'expected {% JSONata %}, true or false');
      }
      const next = loading.problems.string(choice.Next, `${at}.Next`);
      return { condition, next, ...loading.leaving(choice, at) };
    });
    const otherwise = fields.Default;
    const name = otherwise === undefined ? undefined : loading.problems.string(otherwise, `${path}.Default`);
    return { ...base, type: 'Choice', choices, ...maybe('default', name) };
  },
  Wait: (loading, base, fields, path) => {
    known(loading, fields, path, 'Wait');
    const seconds = loading.number(fields, 'Seconds', path, { min: 0, max: LONGEST_SECONDS });
    const timestamp = loading.optionalTemplate(fields, 'Timestamp', path);
    if ((seconds === undefined) === (timestamp === undefined)) {
      loading.problems.add(path, 'expected either Seconds or Timestamp');
    }
    return { ...base, type: 'Wait', ...maybe('seconds', seconds), ...maybe('timestamp', timestamp) };
  },
  Parallel: (loading, base, fields, path) => {
    known(loading, fields, path, 'Parallel');
    const branches = loading.problems.array(fields.Branches, `${path}.Branches`).map((item, index) => {
      const at = `${path}.Branches[${index}]`;
      return loading.scope(loading.problems.object(item, at, OBJECT_FIELDS.branch), at);
    });
    return {
      ...base,
      type: 'Parallel',
      branches,
      ...maybe('arguments', loading.optionalTemplate(fields, 'Arguments', path)),
    };
  },
  Map: loadMap,
  Succeed: (loading, base, fields, path) => {
    known(loading, fields, path, 'Succeed');
    return { ...base, type: 'Succeed' };
  },
  Fail: (loading, base, fields, path) => {
    known(loading, fields, path, 'Fail');
    return {
      ...base,
      type: 'Fail',
      ...maybe('error', loading.optionalTemplate(fields, 'Error', path)),
      ...maybe('cause', loading.optionalTemplate(fields, 'Cause', path)),
    };
  },
};

function checkHeartbeat(loading: Loading, fields: Fields, path: string): void {
  const { HeartbeatSeconds: heartbeat, TimeoutSeconds: timeout } = fields;
  if (typeof heartbeat === 'number' && typeof timeout === 'number' && heartbeat >= timeout) {
    loading.problems.add(`${path}.HeartbeatSeconds`, 'expected less than TimeoutSeconds');
  }
}

/** The Arguments of a resource: known resource, known arguments when they are written out as an object. */
function resourceArguments<R extends string>(
  loading: Loading,
  resource: R,
  resources: Record<string, { required: readonly string[]; optional: readonly string[] }>,
  fields: Fields,
  path: string,
): Template {
  const value = fields.Arguments ?? {};
  const known = Object.hasOwn(resources, resource) ? resources[resource] : undefined;
  if (resource !== '' && !known) {
    loading.problems.add(`${path}.Resource`, `unsupported resource ${resource}`);
  } else if (known && typeof value !== 'string') {
    loading.problems.object(value, `${path}.Arguments`, known);
  }
  return loading.template(value, path, 'Arguments');
}

function loadMap(loading: Loading, base: StateBase, fields: Fields, path: string): State {
  const at = `${path}.ItemProcessor`;
  const processorFields = loading.problems.object(fields.ItemProcessor, at, OBJECT_FIELDS.itemProcessor);
  const { mode, executionType } = processorConfig(loading, processorFields.ProcessorConfig, at);
  const distributed = mode === 'DISTRIBUTED';
  known(loading, fields, path, 'Map', distributed ? DISTRIBUTED_MAP_FIELDS : []);
  const common = {
    ...base,
    type: 'Map' as const,
    processor: loading.scope(processorFields, at) as Scope,
    ...maybe('items', loading.optionalTemplate(fields, 'Items', path)),
    ...maybe('itemSelector', loading.optionalTemplate(fields, 'ItemSelector', path)),
    ...maybe(
      'maxConcurrency',
      loading.number(fields, 'MaxConcurrency', path, { min: 0, max: LIMITS.mapItems.max }),
    ),
  };
  if (!distributed) return { ...common, mode: 'INLINE' };
  if (fields.Items !== undefined && fields.ItemReader !== undefined) {
    loading.problems.add(path, 'expected either Items or ItemReader');
  }
  const count = { min: 0, max: LIMITS.mapItems.max };
  return {
    ...common,
    mode: 'DISTRIBUTED',
    executionType,
    ...maybe('itemReader', loadReader(loading, fields.ItemReader, `${path}.ItemReader`)),
    ...maybe('itemBatcher', loadBatcher(loading, fields.ItemBatcher, `${path}.ItemBatcher`)),
    ...maybe('resultWriter', loadWriter(loading, fields.ResultWriter, `${path}.ResultWriter`)),
    ...maybe('label', loadLabel(loading, fields.Label, `${path}.Label`)),
    ...maybe('toleratedCount', loading.number(fields, 'ToleratedFailureCount', path, count)),
    ...maybe(
      'toleratedPercentage',
      loading.number(fields, 'ToleratedFailurePercentage', path, { min: 0, max: 100 }),
    ),
  };
}

function processorConfig(loading: Loading, value: unknown, at: string) {
  const path = `${at}.ProcessorConfig`;
  const config =
    value === undefined ? {} : loading.problems.object(value, path, OBJECT_FIELDS.processorConfig);
  const mode = loading.problems.word(config.Mode, `${path}.Mode`, WORDS.Mode, 'INLINE');
  const given = config.ExecutionType;
  if ((mode === 'DISTRIBUTED') !== (given !== undefined)) {
    loading.problems.add(path, 'ExecutionType goes with Mode DISTRIBUTED');
  }
  const executionType = loading.problems.word(
    given,
    `${path}.ExecutionType`,
    WORDS.ExecutionType,
    'STANDARD',
  );
  return { mode, executionType };
}

function loadReader(loading: Loading, value: unknown, path: string): ItemReader | undefined {
  if (value === undefined) return undefined;
  const fields = loading.problems.object(value, path, OBJECT_FIELDS.itemReader);
  const resource = loading.problems.string(fields.Resource, `${path}.Resource`) as ReaderResource;
  const config = loading.problems.object(
    fields.ReaderConfig ?? {},
    `${path}.ReaderConfig`,
    OBJECT_FIELDS.readerConfig,
  );
  const lists = resource === 'arn:aws:states:::s3:listObjectsV2';
  if (lists && config.InputType !== undefined) {
    loading.problems.add(`${path}.ReaderConfig.InputType`, 'does not go with listObjectsV2');
  }
  if (!lists && config.InputType === undefined) {
    loading.problems.add(`${path}.ReaderConfig`, 'missing field InputType');
  }
  return {
    resource,
    arguments: resourceArguments(loading, resource, READER_RESOURCES, fields, path),
    inputType: loading.problems.word(
      config.InputType,
      `${path}.ReaderConfig.InputType`,
      WORDS.InputType,
      'JSON',
    ),
    ...maybe(
      'maxItems',
      loading.number(config, 'MaxItems', `${path}.ReaderConfig`, { min: 1, max: LIMITS.mapItems.max }),
    ),
  };
}

function loadBatcher(loading: Loading, value: unknown, path: string): ItemBatcher | undefined {
  if (value === undefined) return undefined;
  const fields = loading.problems.object(value, path, OBJECT_FIELDS.itemBatcher);
  const maxItems = loading.number(fields, 'MaxItemsPerBatch', path, { min: 1, max: LIMITS.mapItems.max });
  const maxBytes = loading.number(fields, 'MaxInputBytesPerBatch', path, {
    min: 1,
    max: LIMITS.stateDataBytes.max,
  });
  if (!maxItems && !maxBytes) {
    loading.problems.add(path, 'expected MaxItemsPerBatch, MaxInputBytesPerBatch or both');
  }
  return {
    ...maybe('maxItems', maxItems),
    ...maybe('maxBytes', maxBytes),
    ...maybe('batchInput', loading.optionalTemplate(fields, 'BatchInput', path)),
  };
}

function loadWriter(loading: Loading, value: unknown, path: string): ResultWriter | undefined {
  if (value === undefined) return undefined;
  const { problems } = loading;
  const fields = problems.object(value, path, OBJECT_FIELDS.resultWriter);
  const writes = fields.Resource !== undefined || fields.Arguments !== undefined;
  if (writes) {
    problems.word(fields.Resource ?? '', `${path}.Resource`, [WRITER_RESOURCE], WRITER_RESOURCE);
    if (typeof fields.Arguments !== 'string') {
      problems.object(fields.Arguments, `${path}.Arguments`, OBJECT_FIELDS.resultArguments);
    }
  }
  const given = fields.WriterConfig;
  if (!writes && given === undefined)
    problems.add(path, 'expected Resource and Arguments, WriterConfig or both');
  const at = `${path}.WriterConfig`;
  const config = given === undefined ? {} : problems.object(given, at, OBJECT_FIELDS.writerConfig);
  return {
    ...(writes && { arguments: loading.template(fields.Arguments ?? {}, path, 'Arguments') }),
    transformation: problems.word(
      config.Transformation,
      `${at}.Transformation`,
      WORDS.Transformation,
      'NONE',
    ),
    outputType: problems.word(config.OutputType, `${at}.OutputType`, WORDS.OutputType, 'JSON'),
  };
}

function loadLabel(loading: Loading, value: unknown, path: string): string | undefined {
  if (value === undefined) return undefined;
  const label = loading.problems.string(value, path);
  // Labels go into ARNs: no white space, wildcards, brackets, control or special characters; at most 40.
  if (label.length > 40 || !/^[A-Za-z0-9_.-]+$/.test(label)) {
    loading.problems.add(path, `expected at most 40 of A-Z a-z 0-9 - _ ., got ${typeName(value)}`);
  }
  return label;
}
