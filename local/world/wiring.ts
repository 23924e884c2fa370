/** Makes the moving parts that the template names, queues, topics, rules, schedules and pollers, and joins them. */
import { join } from 'node:path';
import type { EventBridgeEvent } from '../../shared/ports/events.ts';
import type { WorldDatabase } from './data-directory.ts';
import { type Deliver, type EventBuses, startEventBuses, targetsOf } from './event-bus.ts';
import type { FunctionHost } from './function-host.ts';
import { type Json, TemplateError } from './intrinsics.ts';
import { invokeAsynchronously } from './invocations.ts';
import { openQueue, type Queue } from './queue.ts';
import { startPoller } from './queue-poller.ts';
import { parseSchedule, type Schedule, startSchedule } from './schedule.ts';
import type { Place, ResolvedTemplate, Resource } from './template.ts';
import { startTopics, type Topics } from './topic.ts';

type Fields = { readonly [key: string]: Json };

export interface Wiring {
  readonly buses: EventBuses;
  readonly topics: Topics;
  readonly queues: ReadonlyMap<string, Queue>;
  /** Starts what moves by itself: pollers and schedules. */
  run(): void;
  stop(): Promise<void>;
}

export interface WiringOptions {
  readonly template: ResolvedTemplate;
  readonly database: WorldDatabase;
  readonly place: Place;
  readonly host: FunctionHost;
  readonly dataDir: string;
  readonly log: (line: string) => void;
  /** Sees every event of every bus. */
  readonly onEvent?: (busName: string, event: EventBridgeEvent) => void;
}

const DAY_SECONDS = 86_400;

/** Opens the template's queues, dead letters first, by ARN. */
async function openQueues({ template, database }: WiringOptions): Promise<Map<string, Queue>> {
  const queues = new Map<string, Queue>();
  const redriveOf = ({ properties }: Resource) => properties.RedrivePolicy as Fields | undefined;
  const resources = template.ofType('AWS::SQS::Queue');
  const inOrder = [...resources].sort(
    (a, b) => Number(redriveOf(a) !== undefined) - Number(redriveOf(b) !== undefined),
  );
  for (const resource of inOrder) {
    const redrive = redriveOf(resource);
    const deadLetters = redrive ? queues.get(String(redrive.deadLetterTargetArn)) : undefined;
    if (redrive && !deadLetters)
      throw new TemplateError(`${resource.logicalId}: RedrivePolicy names no queue without one of its own`);
    const {
      VisibilityTimeout = 30,
      MessageRetentionPeriod = 4 * DAY_SECONDS,
      DelaySeconds = 0,
    } = resource.properties;
    const options = {
      name: resource.attributes.QueueName as string,
      arn: resource.attributes.Arn as string,
      visibilitySeconds: Number(VisibilityTimeout),
      retentionSeconds: Number(MessageRetentionPeriod),
      delaySeconds: Number(DelaySeconds),
      ...(redrive ? { maxReceiveCount: Number(redrive.maxReceiveCount) } : {}),
    };
    queues.set(options.arn, await openQueue(database, options, deadLetters));
  }
  return queues;
}

/** How a rule's or a topic's text reaches the thing with this ARN. */
function makeTarget(
  { template, host, log }: WiringOptions,
  queues: ReadonlyMap<string, Queue>,
  topics: () => Topics,
): (arn: string) => Deliver {
  const topicArns = new Set(template.ofType('AWS::SNS::Topic').map(({ ref }) => ref));
  const functionArns = new Set(
    template.ofType('AWS::Lambda::Function').map(({ attributes }) => attributes.Arn),
  );
  return (arn) => {
    const queue = queues.get(arn);
    if (queue) return async (text) => void (await queue.send(text));
    if (topicArns.has(arn))
      return async (text) => void (await topics().publish({ TopicArn: arn, Message: text }));
    if (functionArns.has(arn)) return (text) => invokeAsynchronously(host, arn, JSON.parse(text), log);
    throw new TemplateError(`Arn ${arn}: expected a queue, a topic or a function of the template`);
  };
}

function startPollers({ template, place, host, log }: WiringOptions, queues: ReadonlyMap<string, Queue>) {
  return template.ofType('AWS::Lambda::EventSourceMapping').map(({ logicalId, properties }) => {
    const queue = queues.get(String(properties.EventSourceArn));
    if (!queue) throw new TemplateError(`${logicalId}: EventSourceArn names no queue of the template`);
    const functionName = String(properties.FunctionName);
    if (properties.Enabled === false) return { stop: async () => {} };
    const { FunctionResponseTypes = [] } = properties as { FunctionResponseTypes?: readonly Json[] };
    return startPoller({
      queue,
      region: place.region,
      batchSize: Number(properties.BatchSize ?? 10),
      windowSeconds: Number(properties.MaximumBatchingWindowInSeconds ?? 0),
      reportsItemFailures: FunctionResponseTypes.includes('ReportBatchItemFailures'),
      invoke: (event) => host.invoke(functionName, event),
      onError: (error) =>
        log(`${logicalId}: batch failed: ${error instanceof Error ? error.name : String(error)}`),
    });
  });
}

interface Scheduled {
  readonly schedule: Schedule;
  readonly tick: () => Promise<void>;
}

function compileSchedules(
  { template, place, log }: WiringOptions,
  target: (arn: string) => Deliver,
): Scheduled[] {
  const rules = template
    .ofType('AWS::Events::Rule')
    .filter(({ properties }) => properties.ScheduleExpression);
  return rules
    .filter(({ properties }) => properties.State !== 'DISABLED')
    .map((rule) => {
      const targets = targetsOf(rule, target);
      const where = `${rule.logicalId}: ScheduleExpression`;
      const schedule = parseSchedule(String(rule.properties.ScheduleExpression), where);
      const tick = async () => {
        const event = scheduledEvent(rule, place);
        const deliveries = targets.map(({ input, deliver }) => deliver(input(event)));
        await Promise.all(deliveries).catch((error: unknown) => log(`${rule.logicalId}: ${String(error)}`));
      };
      return { schedule, tick };
    });
}

function scheduledEvent(rule: Resource, place: Place) {
  return {
    version: '0',
    id: crypto.randomUUID(),
    'detail-type': 'Scheduled Event',
    source: 'aws.events',
    account: place.accountId,
    time: `${new Date().toISOString().slice(0, 19)}Z`,
    region: place.region,
    resources: [rule.attributes.Arn],
    detail: {},
  };
}

/** Opens and joins everything; nothing moves before `run`. Throws TemplateError naming the logical id. */
export async function makeWiring(options: WiringOptions): Promise<Wiring> {
  const { template, place, log } = options;
  const queues = await openQueues(options);
  const target = makeTarget(options, queues, () => topics);
  const topics: Topics = startTopics({
    topicArns: template.ofType('AWS::SNS::Topic').map(({ ref }) => ref),
    subscriptions: template.ofType('AWS::SNS::Subscription').map(({ properties }) => ({
      topicArn: String(properties.TopicArn),
      protocol: String(properties.Protocol),
      endpoint: String(properties.Endpoint),
    })),
    file: join(options.dataDir, 'notifications.ndjson'),
    log,
    deliver: (arn, body) => target(arn)(body),
  });
  const buses = startEventBuses({
    ...(options.onEvent ? { onEvent: options.onEvent } : {}),
    rules: template.ofType('AWS::Events::Rule'),
    busNames: template.ofType('AWS::Events::EventBus').map(({ ref }) => ref),
    place,
    target,
    log,
  });
  const schedules = compileSchedules(options, target);
  const running: { stop(): void | Promise<void> }[] = [];
  return {
    buses,
    topics,
    queues,
    run() {
      running.push(...startPollers(options, queues));
      running.push(...schedules.map(({ schedule, tick }) => startSchedule(schedule, tick)));
    },
    async stop() {
      await Promise.all(running.map((part) => part.stop()));
    },
  };
}
