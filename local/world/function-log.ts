/** What functions print, and Lambda's report line for each invocation, in one file a function below DIR/logs. */
import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { InvocationReport } from './function-host.ts';

/** A log of this size becomes `.1`, and the older `.1` goes. */
const ROTATE_BYTES = 20 * 1024 * 1024;

export interface FunctionLog {
  output(functionName: string, text: string): void;
  report(report: InvocationReport): void;
}

export function openFunctionLog(folder: string): FunctionLog {
  mkdirSync(folder, { recursive: true });
  const sizes = new Map<string, number>();
  const append = (functionName: string, text: string) => {
    const file = join(folder, `${functionName}.log`);
    try {
      const size = sizes.get(file) ?? statSync(file, { throwIfNoEntry: false })?.size ?? 0;
      if (size > ROTATE_BYTES) renameSync(file, `${file}.1`);
      appendFileSync(file, text);
      sizes.set(file, (size > ROTATE_BYTES ? 0 : size) + Buffer.byteLength(text));
    } catch {
      // A full disk loses the line, not the world.
    }
  };
  return {
    output: append,
    report({ functionName, requestId, durationMs, usedMB, memoryMB, cold, error }) {
      const parts = [
        `REPORT RequestId: ${requestId}`,
        `Duration: ${durationMs.toFixed(1)} ms`,
        `Memory Size: ${memoryMB} MB`,
        `Max Memory Used: ${usedMB} MB`,
        ...(cold ? ['Cold Start'] : []),
        ...(error ? [`Error: ${error}`] : []),
      ];
      append(functionName, `${parts.join('\t')}\n`);
    },
  };
}
