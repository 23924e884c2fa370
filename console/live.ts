/** The overview as it changes: server-sent events, opened again after every break. */
import { signal } from '@preact/signals';
import type { Overview } from '../local/console/api.ts';

export type Connection = 'connecting' | 'live' | 'disconnected';

export const overview = signal<Overview | undefined>(undefined);
export const connection = signal<Connection>('connecting');
/** Milliseconds since 1970; moves every second, for ages. */
export const now = signal(Date.now());

/** The server speaks at least every five seconds. */
const SILENCE_MS = 12_000;
const AGAIN_MS = 2_000;

export function connectLive(): void {
  setInterval(() => {
    now.value = Date.now();
  }, 1_000);
  open();
}

function open(): void {
  const source = new EventSource('api/live');
  let heardMs = Date.now();
  const heard = () => {
    heardMs = Date.now();
    connection.value = 'live';
  };
  const watch = setInterval(() => {
    if (Date.now() - heardMs > SILENCE_MS) again();
  }, 1_000);
  const again = () => {
    clearInterval(watch);
    source.close();
    connection.value = 'disconnected';
    setTimeout(open, AGAIN_MS);
  };
  source.addEventListener('overview', (event) => {
    heard();
    overview.value = JSON.parse((event as MessageEvent<string>).data) as Overview;
  });
  source.addEventListener('alive', heard);
  source.addEventListener('trouble', heard);
  source.onerror = again;
}
