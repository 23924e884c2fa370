/** Numbers and times as people read them. Pure. */

export { bytes, count, plural } from '../shared/quantities.ts';

/** `0.4 s`, `12 s`, `4 min 10 s`, `3 h 5 min`, `2 days`. */
export function seconds(value: number): string {
  if (value < 10) return `${Math.max(0, value).toFixed(1)} s`;
  if (value < 100) return `${Math.round(value)} s`;
  if (value < 3600) return `${Math.floor(value / 60)} min ${Math.round(value % 60)} s`;
  if (value < 86_400 * 2) return `${Math.floor(value / 3600)} h ${Math.floor((value % 3600) / 60)} min`;
  return `${Math.floor(value / 86_400)} days`;
}

/** Age in whole units: `12 s`, `4 min`, `3 h`, `2 days`. */
export function age(iso: string, nowMs: number): string {
  const value = Math.max(0, (nowMs - Date.parse(iso)) / 1000);
  if (value < 60) return `${Math.floor(value)} s`;
  if (value < 3600) return `${Math.floor(value / 60)} min`;
  if (value < 86_400 * 2) return `${Math.floor(value / 3600)} h`;
  return `${Math.floor(value / 86_400)} days`;
}

/** Local time: `14:05:09` today, else `2026-11-24 14:05`. */
export function clock(iso: string): string {
  if (iso === '') return '';
  const at = new Date(iso);
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const time = `${two(at.getHours())}:${two(at.getMinutes())}`;
  return at.toDateString() === new Date().toDateString()
    ? `${time}:${two(at.getSeconds())}`
    : `${day} ${time}`;
}

export const shortId = (id: string): string => (id.length > 18 ? `${id.slice(0, 8)}…${id.slice(-6)}` : id);

/** `PartlyIngested` → `Partly ingested`. */
export const words = (name: string): string => {
  const spaced = name.replace(/([a-z0-9])([A-Z])/g, '$1 $2');
  return spaced.charAt(0).toUpperCase() + spaced.slice(1).toLowerCase();
};
