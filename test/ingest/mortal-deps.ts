/** Dependencies whose process dies at one call of a port. */
import type { MergeDeps } from '../../shared/ingest/merge-journal.ts';

export class Killed extends Error {}

export interface Death {
  /** Counted over all ports, from 1. */
  readonly atCall: number;
  /** Whether that call takes effect. */
  readonly when: 'before' | 'after';
  /** Later calls fail too; else they go through, as those of the next process. */
  readonly isForGood?: boolean;
}

export function mortalDeps(deps: MergeDeps, { atCall, when, isForGood = false }: Death) {
  let calls = 0;
  const mortal = <T extends object>(port: T): T =>
    Object.fromEntries(
      Object.entries(port).map(([name, method]) => [
        name,
        (...args: unknown[]) => {
          calls++;
          const isNow = calls === atCall;
          if ((isNow && when === 'before') || (isForGood && calls > atCall)) throw new Killed();
          const result = Reflect.apply(method as (...given: unknown[]) => unknown, port, args);
          if (!isNow) return result;
          if (result instanceof Promise) return result.then(() => Promise.reject(new Killed()));
          throw new Killed();
        },
      ]),
    ) as T;
  return {
    deps: { ...deps, objects: mortal(deps.objects), imaging: mortal(deps.imaging) },
    hasDied: () => calls >= atCall,
  };
}
