/** One worker thread that runs a function: started, invoked, watched, ended. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { FunctionError, runtimeExited, timedOut } from './function-error.ts';
import type { WorkerAnswer, WorkerSetup } from './function-worker.ts';
import { packageRoot } from './package-root.ts';
import type { HttpCall } from './service-calls.ts';

export interface EnvironmentOptions {
  readonly setup: WorkerSetup;
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
  /** Gets what the function prints, by chunks of text. */
  readonly onOutput: (text: string) => void;
  /** Gets the requests that each invocation made. */
  readonly onCalls: (calls: readonly HttpCall[]) => void;
}

export interface Invoked {
  readonly result: string;
  readonly usedBytes: number;
}

/** An invocation's own time in milliseconds, without loading: what Lambda bills. 0 when the handler never loaded. */
export type OnBilled = (milliseconds: number) => void;

/** A started environment. After an error that ended it, `alive` is false and it must not be invoked again. */
export interface Environment {
  readonly alive: boolean;
  /** Resolves when the handler is loaded, or could not be. */
  readonly ready: Promise<void>;
  invoke(requestId: string, payload: string, onBilled?: OnBilled): Promise<Invoked>;
  end(): Promise<void>;
}

function workerFile(): string {
  const beside = fileURLToPath(new URL('./function-worker.mjs', import.meta.url));
  return existsSync(beside) ? beside : join(packageRoot(), 'dist', 'workers', 'function-worker.mjs');
}

/** Heap that a function may use beyond its own size before its thread, not the whole world, ends. */
const SPARE_MB = 256;

/** Starts a worker; its handler loads while the first invocation waits. */
export function startEnvironment({
  setup,
  env,
  timeoutSeconds,
  onOutput,
  onCalls,
}: EnvironmentOptions): Environment {
  const worker = new Worker(workerFile(), {
    workerData: setup,
    env: { ...env },
    name: setup.functionName,
    stdout: true,
    stderr: true,
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: setup.memoryMB + SPARE_MB },
  });
  // A world that closes does not wait for idle threads.
  worker.unref();
  for (const stream of [worker.stdout, worker.stderr]) stream.setEncoding('utf8').on('data', onOutput);

  let alive = true;
  let loaded = () => {};
  /** Loading is not the invocation's time, as on Lambda, where the init phase comes before. */
  const ready = new Promise<void>((resolve) => {
    loaded = resolve;
  });
  let requestId = '';
  let settle: { resolve(invoked: Invoked): void; reject(error: Error): void } | undefined;
  const fail = (error: Error) => {
    settle?.reject(error);
    settle = undefined;
  };
  const endWith = (error: Error) => {
    alive = false;
    fail(error);
    loaded();
    return worker.terminate();
  };
  worker.on('message', (answer: WorkerAnswer) => {
    if ('ready' in answer) return loaded();
    onCalls(answer.calls);
    if (!('error' in answer)) {
      settle?.resolve(answer);
      settle = undefined;
    } else if (answer.requestId === undefined) void endWith(new FunctionError(answer.error));
    else fail(new FunctionError(answer.error));
  });
  worker.on('error', (error) => {
    const outOfMemory = (error as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY';
    const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    onOutput(`${message}\n`);
    void endWith(runtimeExited(requestId, outOfMemory ? 'signal: killed' : 'exit status 129'));
  });
  worker.on('exit', (code) => {
    alive = false;
    loaded();
    fail(runtimeExited(requestId, `exit status ${code}`));
  });

  return {
    get alive() {
      return alive;
    },
    ready,
    async invoke(id, payload, onBilled) {
      requestId = id;
      worker.ref();
      let timeout: NodeJS.Timeout | undefined;
      let began: number | undefined;
      try {
        return await new Promise<Invoked>((resolve, reject) => {
          settle = { resolve, reject };
          void ready.then(() => {
            if (!alive) return fail(runtimeExited(id, 'the environment had ended'));
            began = performance.now();
            timeout = setTimeout(() => void endWith(timedOut(id, timeoutSeconds)), timeoutSeconds * 1000);
            worker.postMessage({ requestId: id, payload, deadline: Date.now() + timeoutSeconds * 1000 });
          });
        });
      } finally {
        clearTimeout(timeout);
        if (began !== undefined) onBilled?.(performance.now() - began);
        worker.unref();
      }
    },
    async end() {
      await endWith(runtimeExited(requestId, 'the world stopped'));
    },
  };
}
