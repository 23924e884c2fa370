/** Request rates, an operation: a bucket of tokens that refills, as the service's "Throttling limits" describe. */
import { RATES, type Rate } from '../../../shared/healthimaging/quotas.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import { ServiceError } from '../errors.ts';
import type { Behaviour } from '../service.ts';

/** `aws`: the published rates of the behaviour's year; a table: rates of your own; `off`: none. */
export type Throttle = 'off' | 'aws' | Readonly<Record<string, Rate>>;

export interface Throttler {
  /** Takes a token. Throws ThrottlingException when there is none. */
  admit(operation: string): void;
}

export function createThrottler(throttle: Throttle, behaviour: Behaviour, clock: Clock): Throttler {
  const rates: Readonly<Record<string, Rate>> =
    throttle === 'off' ? {} : throttle === 'aws' ? RATES[behaviour] : throttle;
  const buckets = new Map<string, { tokens: number; at: number }>();
  return {
    admit(operation) {
      const rate = rates[operation];
      if (!rate) return;
      const now = clock.now();
      const bucket = buckets.get(operation) ?? { tokens: rate.burst, at: now };
      const refilled = Math.min(rate.burst, bucket.tokens + ((now - bucket.at) / 1000) * rate.perSecond);
      const isAdmitted = refilled >= 1;
      buckets.set(operation, { tokens: isAdmitted ? refilled - 1 : refilled, at: now });
      if (!isAdmitted) throw new ServiceError('ThrottlingException', 'Rate exceeded');
    },
  };
}
