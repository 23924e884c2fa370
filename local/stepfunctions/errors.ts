/**
 * The two families of errors: what a state fails with (Amazon States Language, "Errors"), which Retry and Catch see,
 * and what the endpoint answers (API model 2016-11-23).
 */

/** Error names that the language reserves. `terminal` ones are not seen by `States.ALL`. */
export const STATE_ERRORS = {
  'States.ALL': { wildcard: true },
  'States.TaskFailed': { wildcard: true },
  'States.Timeout': {},
  'States.HeartbeatTimeout': {},
  'States.BranchFailed': {},
  'States.NoChoiceMatched': {},
  'States.QueryEvaluationError': {},
  'States.ItemReaderFailed': {},
  'States.ResultWriterFailed': {},
  'States.ExceedToleratedFailureThreshold': {},
  'States.Permissions': {},
  'States.DataLimitExceeded': { terminal: true },
  'States.Runtime': { terminal: true },
} as const satisfies Record<string, { wildcard?: true; terminal?: true }>;

export type StateErrorName = keyof typeof STATE_ERRORS;

/** A failure of a state: `error` and `explanation` are what the execution reports as Error and Cause. */
export class StateError extends Error {
  override readonly name = 'StateError';
  readonly error: string;
  readonly explanation: string;

  constructor(error: string, explanation: string, options?: ErrorOptions) {
    super(`${error}: ${explanation}`, options);
    this.error = error;
    this.explanation = explanation;
  }
}

/** A failure with a name of the language itself. */
export const statesError = (error: StateErrorName, cause: string, options?: ErrorOptions): StateError =>
  new StateError(error, cause, options);

/** Whatever a task threw, as Error and Cause: its `name` and its message. */
export function toStateError(thrown: unknown): StateError {
  if (thrown instanceof StateError) return thrown;
  if (thrown instanceof Error) return new StateError(thrown.name, thrown.message, { cause: thrown });
  return new StateError('States.TaskFailed', String(thrown));
}

/** The definition is not one that this runtime runs; every problem with its path. */
export class DefinitionError extends Error {
  override readonly name = 'InvalidDefinition';
  readonly problems: readonly string[];

  constructor(machine: string, problems: readonly string[]) {
    super(`state machine ${machine}: ${problems.join('; ')}`);
    this.problems = problems;
  }
}

/** Names of the errors that the endpoint answers, all with status 400. */
export type ServiceErrorName =
  | 'ExecutionAlreadyExists'
  | 'ExecutionDoesNotExist'
  | 'ExecutionNotRedrivable'
  | 'InvalidArn'
  | 'InvalidExecutionInput'
  | 'InvalidName'
  | 'InvalidOutput'
  | 'InvalidToken'
  | 'ResourceNotFound'
  | 'SerializationException'
  | 'StateMachineDoesNotExist'
  | 'StateMachineTypeNotSupported'
  | 'TaskTimedOut'
  | 'UnknownOperationException'
  | 'ValidationException';

export class ServiceError extends Error {
  override readonly name: ServiceErrorName;

  constructor(name: ServiceErrorName, message: string) {
    super(message);
    this.name = name;
  }
}
