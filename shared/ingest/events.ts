/** The edges of the handlers: one parser for each payload, from `unknown` to a type. Pure. */
import * as v from 'valibot';

const name = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_.-]{1,200}$/));
const digest = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
const arn = v.pipe(v.string(), v.startsWith('arn:'));
const time = v.pipe(v.string(), v.isoTimestamp());
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const execution = { executionId: name, uploadId: digest };
const batch = { executionId: name, planExecutionId: name, batchId: name };

export const SHAPES = {
  execution: v.object(execution),
  held: v.object({ ...execution, executionArn: arn }),
  timed: v.object({ ...execution, executionArn: arn, executionStartedAt: time }),
  failure: v.object({ ...execution, executionArn: arn, executionStartedAt: time, error: v.string() }),
  shard: v.object({ ...execution, shard: name }),
  round: v.object({ ...execution, stage: v.picklist(['inspect', 'stage', 'verify']), round: count }),
  attempt: v.object({ ...batch, attempt: count }),
  waiting: v.object({
    ...batch,
    attempt: count,
    jobId: name,
    taskToken: v.pipe(v.string(), v.nonEmpty(), v.maxLength(2048)),
  }),
  /** HealthImaging's event at the end of an import job. */
  jobEnded: v.object({
    detail: v.object({
      jobId: name,
      jobStatus: v.picklist(['COMPLETED', 'FAILED']),
      inputS3Uri: v.optional(v.string()),
    }),
  }),
  output: v.object({
    ...batch,
    attempt: count,
    jobId: name,
    jobStatus: v.picklist(['COMPLETED', 'FAILED']),
  }),
  merge: v.object({ executionId: name, seriesInstanceUID: v.pipe(v.string(), v.nonEmpty()), step: count }),
  queue: v.object({ Records: v.array(v.object({ messageId: v.string(), body: v.string() })) }),
  /** A decision that was asked for in the console. */
  decision: v.object({ decisionId: name }),
  anything: v.unknown(),
} as const;

/** The event is not of the shape that the state machine sends. */
export class UnexpectedEvent extends Error {
  override readonly name = 'UnexpectedEvent';
}

/** Says all problems at once: where and what was wanted; not what came, since that may be anybody's. */
export function parseEvent<S extends v.GenericSchema>(shape: S, event: unknown): v.InferOutput<S> {
  const parsed = v.safeParse(shape, event);
  if (parsed.success) return parsed.output;
  const problems = parsed.issues.map(
    (issue) => `${v.getDotPath(issue) ?? 'event'}: expected ${issue.expected ?? issue.type}`,
  );
  throw new UnexpectedEvent(problems.join('; '));
}
