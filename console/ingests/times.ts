/** Times that people ask about, and from when to when they are. */

export const TIMES = [
  ['today', 'today'],
  ['yesterday', 'yesterday'],
  ['hours', 'the last 24 hours'],
  ['week', 'the last 7 days'],
] as const;

const DAY_MS = 86_400_000;

/** Days are those of this browser's clock. Pure but for the time zone. */
export function timesOf(when: string, nowMs: number): { since?: string; until?: string } {
  const midnight = new Date(nowMs);
  midnight.setHours(0, 0, 0, 0);
  const day = (ms: number) => new Date(ms).toISOString();
  if (when === 'today') return { since: day(midnight.getTime()) };
  if (when === 'yesterday') {
    const before = new Date(midnight);
    before.setDate(before.getDate() - 1);
    return { since: day(before.getTime()), until: day(midnight.getTime()) };
  }
  if (when === 'hours') return { since: day(nowMs - DAY_MS) };
  return when === 'week' ? { since: day(nowMs - 7 * DAY_MS) } : {};
}
