/** Event buses as Amazon EventBridge has them: rules match events by pattern and hand them to their targets. */
import { randomUUID } from 'node:crypto';
import type { EventBridgeEvent } from '../../shared/ports/events.ts';
import { compileInput } from './event-input.ts';
import { compilePattern } from './event-pattern.ts';
import { type Json, TemplateError } from './intrinsics.ts';
import type { Place, Resource } from './template.ts';

type Fields = { readonly [key: string]: Json };

/** What a target gets: a text, and the event that it was made of. */
export type Deliver = (text: string) => Promise<void>;

interface Rule {
  readonly logicalId: string;
  readonly busName: string;
  readonly enabled: boolean;
  readonly matches: (event: unknown) => boolean;
  readonly targets: readonly { readonly input: (event: unknown) => string; readonly deliver: Deliver }[];
}

export interface PutEventsEntry {
  readonly EventBusName?: string;
  readonly Source?: string;
  readonly DetailType?: string;
  /** JSON text. */
  readonly Detail?: string;
  readonly Resources?: readonly string[];
}

export interface EventBuses {
  /** An event of a service, to the default bus. */
  publish(event: EventBridgeEvent): Promise<void>;
  putEvents(entries: readonly PutEventsEntry[]): Promise<{
    FailedEntryCount: number;
    Entries: ({ EventId: string } | { ErrorCode: string; ErrorMessage: string })[];
  }>;
  counters(): { events: number; matched: number };
}

export interface EventBusesOptions {
  readonly rules: readonly Resource[];
  /** Names of the template's buses; `default` is always there. */
  readonly busNames: readonly string[];
  readonly place: Place;
  /** How to hand a text to the target with this ARN. Throws TemplateError for one that nothing here serves. */
  readonly target: (arn: string) => Deliver;
  readonly onEvent?: (busName: string, event: EventBridgeEvent) => void;
  readonly log: (line: string) => void;
}

/** EventBridge's limit for an entry of PutEvents, in bytes (User Guide, "Calculating PutEvents event entry size"). */
const ENTRY_LIMIT_BYTES = 256 * 1024;
/** Deliveries that fail are tried again; on AWS for a day, here a few times, as queues and functions are in-process. */
const RETRY_DELAYS_MS = [200, 1000, 5000];

/** The name in a bus ARN or a plain name. */
const busNameOf = (nameOrArn: string) => nameOrArn.split('/').at(-1) as string;

export function targetsOf(rule: Resource, target: (arn: string) => Deliver): Rule['targets'] {
  const targets = (rule.properties.Targets ?? []) as readonly Fields[];
  return targets.map((properties, index) => {
    const where = `${rule.logicalId}: Targets[${index}]`;
    try {
      return { input: compileInput(properties, where), deliver: target(String(properties.Arn)) };
    } catch (error) {
      if (!(error instanceof TemplateError) || error.message.startsWith(where)) throw error;
      throw new TemplateError(`${where}: ${error.message}`, { cause: error });
    }
  });
}

function compileRule(rule: Resource, options: EventBusesOptions): Rule {
  const { EventBusName = 'default', EventPattern, State = 'ENABLED' } = rule.properties;
  const busName = busNameOf(String(EventBusName));
  if (busName !== 'default' && !options.busNames.includes(busName))
    throw new TemplateError(`${rule.logicalId}: no event bus ${busName} in the template`);
  return {
    logicalId: rule.logicalId,
    busName,
    enabled: State === 'ENABLED',
    matches: compilePattern(EventPattern as Json, `${rule.logicalId}: EventPattern`),
    targets: targetsOf(rule, options.target),
  };
}

export function startEventBuses(options: EventBusesOptions): EventBuses {
  const rules = options.rules
    .filter(({ properties }) => properties.EventPattern !== undefined)
    .map((rule) => compileRule(rule, options))
    .filter(({ enabled }) => enabled);
  const counts = { events: 0, matched: 0 };

  async function send(busName: string, event: EventBridgeEvent): Promise<void> {
    counts.events++;
    options.onEvent?.(busName, event);
    const matching = rules.filter((rule) => rule.busName === busName && rule.matches(event));
    counts.matched += matching.length;
    await Promise.all(
      matching.flatMap(({ logicalId, targets }) =>
        targets.map(({ input, deliver }) => persist(() => deliver(input(event)), logicalId)),
      ),
    );
  }

  async function persist(deliver: () => Promise<void>, logicalId: string): Promise<void> {
    for (const delay of [...RETRY_DELAYS_MS, undefined]) {
      try {
        return await deliver();
      } catch (error) {
        if (delay === undefined) return options.log(`${logicalId}: not delivered: ${String(error)}`);
        await new Promise((resolve) => setTimeout(resolve, delay).unref());
      }
    }
  }

  function toEvent(entry: PutEventsEntry): EventBridgeEvent {
    return {
      version: '0',
      id: randomUUID(),
      'detail-type': String(entry.DetailType),
      source: String(entry.Source),
      account: options.place.accountId,
      time: `${new Date().toISOString().slice(0, 19)}Z`,
      region: options.place.region,
      resources: entry.Resources ?? [],
      detail: JSON.parse(String(entry.Detail)) as Record<string, unknown>,
    };
  }

  return {
    publish: (event) => send('default', event),
    async putEvents(entries) {
      const results = entries.map((entry) => {
        const problem = problemOf(entry, options.busNames);
        if (problem) return problem;
        const event = toEvent(entry);
        void send(busNameOf(entry.EventBusName ?? 'default'), event);
        return { EventId: event.id };
      });
      return { FailedEntryCount: results.filter((result) => 'ErrorCode' in result).length, Entries: results };
    },
    counters: () => ({ ...counts }),
  };
}

function problemOf(entry: PutEventsEntry, busNames: readonly string[]) {
  const refuse = (ErrorCode: string, ErrorMessage: string) => ({ ErrorCode, ErrorMessage });
  const missing = (['Source', 'DetailType', 'Detail'] as const).filter((name) => !entry[name]);
  if (missing.length > 0)
    return refuse('InvalidArgument', `Parameter ${missing[0]} is not valid. Reason: missing.`);
  if (entry.Source?.startsWith('aws.'))
    return refuse('NotAuthorizedForSourceException', 'Not authorized for the source.');
  const bus = busNameOf(entry.EventBusName ?? 'default');
  if (bus !== 'default' && !busNames.includes(bus))
    return refuse('ResourceNotFoundException', `Event bus ${bus} does not exist.`);
  if (!isJsonObject(entry.Detail)) return refuse('MalformedDetail', 'Detail is malformed.');
  const bytes = Buffer.byteLength(`${entry.Source}${entry.DetailType}${entry.Detail}`);
  return bytes > ENTRY_LIMIT_BYTES
    ? refuse('InvalidArgument', `Total size of the entry exceeds ${ENTRY_LIMIT_BYTES} bytes.`)
    : undefined;
}

function isJsonObject(text: string | undefined): boolean {
  try {
    const value: unknown = JSON.parse(String(text));
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
