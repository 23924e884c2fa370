/**
 * Quotas of Step Functions that the runtime keeps, so that what passes here passes there. Source: "Step Functions
 * service quotas" of the developer guide and the API model 2016-11-23, read 2026-11.
 */
export const LIMITS = {
  stateDataBytes: {
    max: 262_144,
    unit: 'bytes of UTF-8',
    says: 'input or result of a task, state or execution',
  },
  variableBytes: { max: 262_144, unit: 'bytes of UTF-8', says: 'one variable, and one Assign together' },
  storedVariableBytes: { max: 10_485_760, unit: 'bytes of UTF-8', says: 'all variables of an execution' },
  historyEvents: { max: 25_000, unit: 'events', says: 'history of a STANDARD execution' },
  definitionBytes: { max: 1_048_576, unit: 'bytes of UTF-8', says: 'a state machine definition' },
  stateNameLength: { max: 80, unit: 'characters', says: 'a state name, an execution name, a variable name' },
  inlineConcurrency: { max: 40, unit: 'iterations', says: 'running iterations of an inline Map' },
  childConcurrency: { max: 10_000, unit: 'executions', says: 'running children of a Distributed Map' },
  mapItems: { max: 100_000_000, unit: 'items', says: 'items of one Distributed Map' },
  expressSeconds: { max: 300, unit: 'seconds', says: 'duration of an EXPRESS execution' },
  standardSeconds: { max: 31_536_000, unit: 'seconds', says: 'duration of a STANDARD execution' },
  retentionDays: {
    max: 90,
    unit: 'days',
    says: 'execution names stay taken and histories kept after the end',
  },
  redriveDays: { max: 14, unit: 'days', says: 'an execution can be redriven after its start' },
  redriveCount: { max: 1_000, unit: 'redrives', says: 'one execution' },
  requestBytes: { max: 1_048_576, unit: 'bytes', says: 'an API request' },
  pageSize: { max: 1_000, unit: 'results', says: 'a page of a list' },
} as const satisfies Record<string, { max: number; unit: string; says: string }>;

/** Bounds of our own: what one JSONata expression may use before it counts as an endless loop. */
export const EXPRESSION_BOUNDS = { milliseconds: 2_000, depth: 2_000, sequence: 1_000_000 } as const;
