/** What a Distributed Map results in: the outputs of its children as an array, or files in S3 with a manifest. */
import type { DistributedMapState, ResultWriter } from '../definition/model.ts';
import { statesError } from '../errors.ts';
import type { ChildRecord } from '../journal/records.ts';
import { isObject, type Json, typeName } from '../json.ts';
import { LIMITS } from '../limits.ts';
import type { MapRun } from '../runtime/map-run.ts';
import type { Visit } from '../runtime/visit.ts';

/** A result file is begun anew above this size, so that memory stays flat. */
const FILE_BYTES = 16 * 1024 * 1024;

/** The result of the state. Throws States.DataLimitExceeded, States.ResultWriterFailed. */
export async function resultOf(state: DistributedMapState, visit: Visit, run: MapRun): Promise<Json> {
  const { resultWriter: writer } = state;
  if (writer?.arguments) {
    const where = await visit.evaluate(writer.arguments);
    const details = await writeResults(writer, visit, run, where).catch((error: unknown) => {
      const { name, message } = error as Error;
      throw statesError('States.ResultWriterFailed', `${name}: ${message}`, { cause: error });
    });
    return { MapRunArn: run.record.arn, ResultWriterDetails: details };
  }
  return collect(state, visit, run, writer?.transformation ?? 'COMPACT');
}

async function collect(
  state: DistributedMapState,
  visit: Visit,
  run: MapRun,
  transformation: ResultWriter['transformation'],
): Promise<Json> {
  const results: Json[] = [];
  let bytes = 2;
  for await (const outcome of run.outcomes()) {
    for (const value of transformed(visit, run, outcome, transformation)) {
      results.push(value);
      bytes += Buffer.byteLength(JSON.stringify(value)) + 1;
    }
    if (bytes - 1 > LIMITS.stateDataBytes.max) {
      throw statesError(
        'States.DataLimitExceeded',
        `The state/task '${state.name}' returned a result with a size exceeding the maximum number of bytes service limit.`,
      );
    }
  }
  return results;
}

interface ChildOutcome {
  readonly child: ChildRecord;
  readonly input: string;
}

function transformed(
  visit: Visit,
  run: MapRun,
  outcome: ChildOutcome,
  transformation: ResultWriter['transformation'],
): Json[] {
  const { child } = outcome;
  if (transformation === 'NONE' || child.status !== 'SUCCEEDED') return [whole(visit, run, outcome)];
  const output = JSON.parse(child.output ?? 'null') as Json;
  return transformation === 'FLATTEN' && Array.isArray(output) ? [...(output as Json[])] : [output];
}

/** A child as NONE shows it: its output with the metadata of its execution. */
function whole(visit: Visit, run: MapRun, { child, input }: ChildOutcome): Json {
  const { machineArn, label } = run.record;
  const { machineName } = visit.execution.record;
  const iso = (at: number): string => new Date(at).toISOString();
  return {
    ExecutionArn: visit.engine.arn('execution', `${machineName}/${label}:${child.name}`),
    Input: input,
    InputDetails: { Included: true },
    Name: child.name,
    ...(child.error !== undefined && { Error: child.error }),
    ...(child.cause !== undefined && { Cause: child.cause }),
    ...(child.output !== undefined && { Output: child.output, OutputDetails: { Included: true } }),
    RedriveCount: run.record.redriveCount,
    StartDate: iso(child.startDate),
    StateMachineArn: machineArn,
    Status: child.status,
    ...(child.stopDate !== undefined && { StopDate: iso(child.stopDate) }),
  };
}

interface ResultFile {
  readonly Key: string;
  readonly Size: number;
}

async function writeResults(writer: ResultWriter, visit: Visit, run: MapRun, where: Json): Promise<Json> {
  const { Bucket: bucket, Prefix: prefix = '' } = isObject(where) ? where : {};
  if (typeof bucket !== 'string' || typeof prefix !== 'string') {
    throw statesError(
      'States.ResultWriterFailed',
      `Arguments expected Bucket and Prefix, but was ${typeName(where)}`,
    );
  }
  const folder = `${prefix === '' ? '' : `${prefix.replace(/\/$/, '')}/`}${run.id}`;
  const put = (name: string, body: string): Promise<void> =>
    visit.engine.services.writeObject(bucket, `${folder}/${name}`, body);
  const succeeded = new ResultFiles('SUCCEEDED', writer.outputType, folder, put);
  const failed = new ResultFiles('FAILED', writer.outputType, folder, put);
  for await (const outcome of run.outcomes()) {
    const files = outcome.child.status === 'SUCCEEDED' ? succeeded : failed;
    for (const value of transformed(visit, run, outcome, writer.transformation)) await files.add(value);
  }
  const manifest = {
    DestinationBucket: bucket,
    MapRunArn: run.record.arn,
    ResultFiles: { FAILED: await failed.close(), PENDING: [], SUCCEEDED: await succeeded.close() },
  };
  await put('manifest.json', JSON.stringify(manifest));
  return { Bucket: bucket, Key: `${folder}/manifest.json` };
}

/** `SUCCEEDED_0.json`, `SUCCEEDED_1.json` … */
class ResultFiles {
  readonly #status: string;
  readonly #type: 'JSON' | 'JSONL';
  readonly #folder: string;
  readonly #put: (name: string, body: string) => Promise<void>;
  readonly #written: ResultFile[] = [];
  #lines: string[] = [];
  #bytes = 0;

  constructor(
    status: string,
    type: 'JSON' | 'JSONL',
    folder: string,
    put: (name: string, body: string) => Promise<void>,
  ) {
    this.#status = status;
    this.#type = type;
    this.#folder = folder;
    this.#put = put;
  }

  async add(value: Json): Promise<void> {
    const line = JSON.stringify(value);
    this.#lines.push(line);
    this.#bytes += line.length + 1;
    if (this.#bytes >= FILE_BYTES) await this.#flush();
  }

  async close(): Promise<{ Key: string; Size: number }[]> {
    if (this.#lines.length > 0) await this.#flush();
    return this.#written;
  }

  async #flush(): Promise<void> {
    const isArray = this.#type === 'JSON';
    const body = isArray ? `[${this.#lines.join(',')}]` : `${this.#lines.join('\n')}\n`;
    const name = `${this.#status}_${this.#written.length}.${isArray ? 'json' : 'jsonl'}`;
    await this.#put(name, body);
    this.#written.push({ Key: `${this.#folder}/${name}`, Size: Buffer.byteLength(body) });
    this.#lines = [];
    this.#bytes = 0;
  }
}
