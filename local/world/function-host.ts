/**
 * Runs the template's functions as Lambda does: one invocation per environment at a time, warm ones used again, idle
 * ones ended, so many at a time, payload limits, timeouts, and a report line for each invocation.
 */
import { randomUUID } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { type Environment, startEnvironment } from './function-environment.ts';
import {
  FunctionError,
  PAYLOAD_LIMIT_BYTES,
  requestTooLarge,
  responseTooLarge,
  runtimeExited,
} from './function-error.ts';
import type { HttpCall } from './service-calls.ts';

export interface LocalFunction {
  readonly name: string;
  readonly arn: string;
  readonly modulePath: string;
  readonly exportName: string;
  readonly timeoutSeconds: number;
  readonly memoryMB: number;
  readonly env: Readonly<Record<string, string>>;
  /** At most so many at a time; undefined: only the host's own bound. */
  readonly reservedConcurrency?: number;
}

export interface InvocationReport {
  readonly functionName: string;
  readonly requestId: string;
  readonly durationMs: number;
  readonly usedMB: number;
  readonly memoryMB: number;
  readonly cold: boolean;
  /** The error's type, when it failed. */
  readonly error?: string;
}

export interface FunctionHostOptions {
  readonly functions: readonly LocalFunction[];
  /** Environments that run at a time; default twice the cores, at least 4. */
  readonly concurrency?: number;
  /**
   * Of one function; default the cores. More would not be faster: each environment loads and warms up by itself, and one
   * that works keeps a core busy.
   */
  readonly concurrencyPerFunction?: number;
  /** How long an idle environment stays warm. */
  readonly idleMs?: number;
  readonly onReport?: (report: InvocationReport) => void;
  readonly onOutput?: (functionName: string, text: string) => void;
  /** The requests that an invocation made. */
  readonly onCalls?: (functionName: string, calls: readonly HttpCall[]) => void;
}

export interface FunctionHost {
  has(nameOrArn: string): boolean;
  /** By name or ARN; resolves to the handler's answer. Throws FunctionError. */
  invoke(nameOrArn: string, payload: unknown, options?: { signal?: AbortSignal }): Promise<unknown>;
  /**
   * Loads each function once, one after another, in the template's order, so that the first upload finds them warm:
   * while one state works on one core, the next ones load on another.
   */
  warm(): Promise<void>;
  /** `gigabyteSeconds`: the invocations' own time by the memory of their functions, as Lambda bills it. */
  counters(): {
    invocations: number;
    byFunction: Record<string, number>;
    errors: number;
    gigabyteSeconds: number;
  };
  close(): Promise<void>;
}

interface Pool {
  readonly fn: LocalFunction;
  readonly idle: { environment: Environment; since: number }[];
  running: number;
}
interface Waiting {
  readonly pool: Pool;
  readonly start: () => void;
}

export function startFunctionHost(options: FunctionHostOptions): FunctionHost {
  const bound = options.concurrency ?? Math.max(4, 2 * availableParallelism());
  const boundPerFunction = options.concurrencyPerFunction ?? availableParallelism();
  const idleMs = options.idleMs ?? 120_000;
  const pools = new Map(options.functions.map((fn) => [fn.name, { fn, idle: [], running: 0 } as Pool]));
  const byArn = new Map(options.functions.map((fn) => [fn.arn, fn.name]));
  const live = new Set<Environment>();
  const waiting: Waiting[] = [];
  const counts = { invocations: 0, errors: 0, gigabyteSeconds: 0, byFunction: new Map<string, number>() };
  let running = 0;
  let closed = false;

  const endIdle = setInterval(() => {
    const limit = Date.now() - idleMs;
    for (const pool of pools.values()) {
      while (pool.idle[0] && pool.idle[0].since < limit) drop(pool.idle.shift()?.environment);
    }
  }, 1000);
  endIdle.unref();

  function drop(environment: Environment | undefined): void {
    if (!environment) return;
    live.delete(environment);
    void environment.end();
  }

  const mayRun = ({ fn, running: own }: Pool) =>
    running < bound && own < Math.min(boundPerFunction, fn.reservedConcurrency ?? boundPerFunction);

  function pump(): void {
    for (let i = 0; i < waiting.length && running < bound; ) {
      const next = waiting[i] as Waiting;
      if (mayRun(next.pool)) {
        waiting.splice(i, 1);
        next.start();
      } else i++;
    }
  }

  /** Waits for its turn; the caller must call `leave` after. */
  async function enter(pool: Pool): Promise<void> {
    if (!mayRun(pool))
      await new Promise<void>((start) => waiting.push({ pool, start: () => start(claim(pool)) }));
    else claim(pool);
  }
  function claim(pool: Pool): void {
    running++;
    pool.running++;
  }
  function leave(pool: Pool): void {
    running--;
    pool.running--;
    pump();
  }

  function begin({ fn }: Pool): Environment {
    const environment = startEnvironment({
      setup: {
        modulePath: fn.modulePath,
        exportName: fn.exportName,
        functionName: fn.name,
        functionArn: fn.arn,
        memoryMB: fn.memoryMB,
      },
      env: fn.env,
      timeoutSeconds: fn.timeoutSeconds,
      onOutput: (text) => options.onOutput?.(fn.name, text),
      onCalls: (calls) => options.onCalls?.(fn.name, calls),
    });
    live.add(environment);
    return environment;
  }

  /** A warm environment, or a new one; room is made for it by ending the idle one of another function. */
  function take(pool: Pool): { environment: Environment; cold: boolean } {
    const warm = pool.idle.pop();
    if (warm?.environment.alive) return { environment: warm.environment, cold: false };
    drop(warm?.environment);
    const others = [...pools.values()].filter(({ idle }) => idle.length > 0);
    if (live.size >= 2 * bound + pools.size) drop(others[0]?.idle.shift()?.environment);
    return { environment: begin(pool), cold: true };
  }

  async function runOnce(pool: Pool, payload: string): Promise<unknown> {
    await enter(pool);
    if (closed) throw runtimeExited('', 'the world stopped');
    const requestId = randomUUID();
    const { environment, cold } = take(pool);
    const started = performance.now();
    let usedBytes = 0;
    let error: string | undefined;
    try {
      const invoked = await environment.invoke(requestId, payload, (ms) => {
        counts.gigabyteSeconds += (ms / 1000) * (pool.fn.memoryMB / 1024);
      });
      usedBytes = invoked.usedBytes;
      const bytes = Buffer.byteLength(invoked.result);
      if (bytes > PAYLOAD_LIMIT_BYTES) throw responseTooLarge(bytes);
      return JSON.parse(invoked.result);
    } catch (thrown) {
      error = thrown instanceof Error ? thrown.name : 'Error';
      counts.errors++;
      throw thrown;
    } finally {
      if (environment.alive && !closed) pool.idle.push({ environment, since: Date.now() });
      else drop(environment);
      leave(pool);
      options.onReport?.({
        functionName: pool.fn.name,
        requestId,
        durationMs: performance.now() - started,
        usedMB: Math.ceil(usedBytes / 1e6),
        memoryMB: pool.fn.memoryMB,
        cold,
        ...(error === undefined ? {} : { error }),
      });
    }
  }

  const poolOf = (nameOrArn: string) => pools.get(byArn.get(nameOrArn) ?? nameOrArn);
  return {
    has: (nameOrArn) => poolOf(nameOrArn) !== undefined,
    async invoke(nameOrArn, payload, { signal } = {}) {
      const pool = poolOf(nameOrArn);
      if (!pool)
        throw new FunctionError({
          errorType: 'Lambda.ResourceNotFoundException',
          errorMessage: `Function not found: ${nameOrArn}`,
        });
      const text = JSON.stringify(payload) ?? 'null';
      const bytes = Buffer.byteLength(text);
      if (bytes > PAYLOAD_LIMIT_BYTES) throw requestTooLarge(bytes);
      signal?.throwIfAborted();
      counts.invocations++;
      counts.byFunction.set(pool.fn.name, (counts.byFunction.get(pool.fn.name) ?? 0) + 1);
      return await untilAborted(runOnce(pool, text), signal);
    },
    async warm() {
      for (const pool of pools.values()) {
        if (closed) return;
        if (pool.running > 0 || pool.idle.length > 0) continue;
        const environment = begin(pool);
        await environment.ready;
        if (environment.alive) pool.idle.push({ environment, since: Date.now() });
        else drop(environment);
      }
    },
    counters: () => ({
      invocations: counts.invocations,
      errors: counts.errors,
      gigabyteSeconds: counts.gigabyteSeconds,
      byFunction: Object.fromEntries(counts.byFunction),
    }),
    async close() {
      closed = true;
      clearInterval(endIdle);
      for (const { start } of waiting.splice(0)) start();
      await Promise.all([...live].map((environment) => environment.end()));
      live.clear();
    },
  };
}

/** A caller that gives up does not stop the function, as on Lambda; it only stops waiting. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return await work;
  work.catch(() => {});
  let onAbort = () => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
