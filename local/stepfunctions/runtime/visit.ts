/** One visit of a state: what its runner may look at and do. */
import type { Cancellation } from '../cancellation.ts';
import type { Leaving, NumberField, Scope, State } from '../definition/model.ts';
import { statesError } from '../errors.ts';
import type { Template } from '../evaluate/template.ts';
import { type Json, type JsonObject, sizeBytes, typeName } from '../json.ts';
import { LIMITS } from '../limits.ts';
import type { Engine } from './engine.ts';
import type { EventDetails, Execution } from './execution.ts';
import type { Frame, MapItem } from './frame.ts';

/** How a state ended well; no `next` ends the scope. */
export interface Outcome {
  readonly output: Json;
  readonly assign: JsonObject;
  readonly next: string | undefined;
}

/** What `$states` holds besides input and context. */
export interface StatesExtras {
  readonly result?: Json;
  readonly errorOutput?: Json;
  readonly mapItem?: MapItem;
}

export class Visit {
  readonly engine: Engine;
  readonly execution: Execution;
  readonly frame: Frame;
  readonly state: State;

  constructor(engine: Engine, execution: Execution, frame: Frame, state: State) {
    this.engine = engine;
    this.execution = execution;
    this.frame = frame;
    this.state = state;
  }

  get input(): Json {
    return this.frame.record.input;
  }

  get cancellation(): Cancellation {
    return this.frame.cancellation;
  }

  /** Throws States.QueryEvaluationError. */
  evaluate(template: Template, extras: StatesExtras = {}): Promise<Json> {
    if (template.constant !== undefined) return Promise.resolve(template.constant);
    const { mapItem = this.frame.mapItem, ...more } = extras;
    const contextOf = (): JsonObject => this.#context(mapItem);
    const states = {
      input: this.input,
      ...more,
      // Few expressions look at it: made when they do.
      get context(): JsonObject {
        return contextOf();
      },
    };
    return template.evaluate({ states, variables: this.frame.variables });
  }

  /** The number, held to its range. Throws States.QueryEvaluationError. */
  async number(field: NumberField): Promise<number> {
    const value = await this.evaluate(field.template);
    if (typeof value === 'number' && Number.isInteger(value) && value >= field.min && value <= field.max) {
      return value;
    }
    const got = typeof value === 'number' ? String(value) : typeName(value);
    throw statesError(
      'States.QueryEvaluationError',
      `The field '${field.template.field}' expected an integer from ${field.min} to ${field.max}, but was ${got}`,
    );
  }

  optionalNumber(field: NumberField | undefined): Promise<number | undefined> {
    return field ? this.number(field) : Promise.resolve(undefined);
  }

  /**
   * Leaves the state: Output and Assign both see the variables as they were. Without Output the result is handed on,
   * or the input where the state has no result.
   */
  async leave(
    leaving: Leaving,
    next: string | undefined,
    extras: StatesExtras,
    otherwise: Json,
  ): Promise<Outcome> {
    const output = leaving.output ? await this.evaluate(leaving.output, extras) : otherwise;
    const assign = leaving.assign ? ((await this.evaluate(leaving.assign, extras)) as JsonObject) : {};
    if (leaving.assign) checkVariables(assign, this.frame.variables);
    return { output, assign, next };
  }

  addEvent(type: string, details?: () => EventDetails): void {
    this.execution.addEvent(this.frame, type, details);
  }

  /** An event after those of inner scopes; what follows is linked to the same one, as the service does. */
  addEventAfter(previousEventId: number, type: string): void {
    this.frame.record.previousEventId = previousEventId;
    this.addEvent(type);
    this.frame.record.previousEventId = previousEventId;
  }

  /** Runs an inner scope of this state to its end; gives its output. */
  runInner(scope: Scope, frame: Frame): Promise<Json> {
    return this.engine.runScope(this.execution, scope, frame);
  }

  #context(mapItem: MapItem | undefined): JsonObject {
    const { record, input } = this.execution;
    const { enteredAt = 0, retries } = this.frame.record;
    return {
      Execution: {
        Id: record.arn,
        Input: input,
        Name: record.name,
        RoleArn: record.roleArn,
        StartTime: iso(record.startDate),
        RedriveCount: record.redriveCount,
      },
      State: {
        Name: this.state.name,
        EnteredTime: iso(enteredAt),
        ...(RETRIED.includes(this.state.type) && {
          RetryCount: retries.reduce((sum, count) => sum + count, 0),
        }),
      },
      StateMachine: { Id: record.machineArn, Name: record.machineName },
      ...(this.frame.record.taskToken !== undefined && { Task: { Token: this.frame.record.taskToken } }),
      ...(mapItem && { Map: { Item: { Index: mapItem.Index, Value: mapItem.Value } } }),
    };
  }
}

/** States that can have Retry: only their context counts retries. */
const RETRIED: readonly string[] = ['Task', 'Parallel', 'Map'];

const iso = (milliseconds: number): string => new Date(milliseconds).toISOString();

/** Throws States.QueryEvaluationError when the variables are too big, by themselves or with the others in sight. */
function checkVariables(assign: JsonObject, others: JsonObject): void {
  const { variableBytes, storedVariableBytes } = LIMITS;
  const tooBig = (what: string, max: number) =>
    statesError('States.QueryEvaluationError', `The variables ${what} exceed the maximum of ${max} bytes.`);
  if (sizeBytes(assign) > variableBytes.max) throw tooBig('assigned', variableBytes.max);
  if (sizeBytes({ ...others, ...assign }) > storedVariableBytes.max)
    throw tooBig('stored', storedVariableBytes.max);
}

/** The value's JSON text. Throws States.DataLimitExceeded above 256 KiB. */
export function withinLimit(value: Json, what: string): string {
  const text = JSON.stringify(value);
  // A UTF-16 unit is at most 3 bytes of UTF-8: short texts need no count.
  if (text.length * 3 > LIMITS.stateDataBytes.max && Buffer.byteLength(text) > LIMITS.stateDataBytes.max) {
    throw statesError(
      'States.DataLimitExceeded',
      `${what} with a size exceeding the maximum number of bytes service limit.`,
    );
  }
  return text;
}
