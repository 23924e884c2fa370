/** The overview as it changes: by server-sent events, opened again after every break, or asked for, as the server wants it. */
import { signal } from '@preact/signals';
import type { Overview } from '../shared/console/api.ts';
import { get } from './server.ts';
import { session } from './sign-in/session.ts';

export type Connection = 'connecting' | 'live' | 'disconnected';

export const overview = signal<Overview | undefined>(undefined);
export const connection = signal<Connection>('connecting');
/** How often the server came back: what it left unanswered may be asked for again. */
export const reconnections = signal(0);
/** The server answers, but cannot look at its own stores. */
export const isTroubled = signal(false);
/** Milliseconds since 1970; moves every second, for ages. */
export const now = signal(Date.now());

/** The server speaks at least every five seconds. */
const SILENCE_MS = 12_000;
const AGAIN_MS = 2_000;
const POLL_MS = 5_000;

export function connectLive(): void {
  setInterval(() => {
    now.value = Date.now();
  }, 1_000);
  // A server that does not even say how to speak with it.
  const silence = setTimeout(() => {
    connection.value = 'disconnected';
  }, SILENCE_MS);
  void session().then(({ live }) => {
    clearTimeout(silence);
    if (live === 'events') open();
    else void poll();
  });
}

/** Every few seconds while somebody looks: each look costs requests to the stores. */
async function poll(): Promise<void> {
  let failures = 0;
  for (;;) {
    if (!document.hidden) {
      const asked = await get<Overview>('overview', AbortSignal.timeout(SILENCE_MS)).catch(() => undefined);
      if (asked !== undefined) overview.value = asked;
      failures = asked === undefined ? failures + 1 : 0;
      if (failures === 0) setLive();
      else connection.value = 'disconnected';
    }
    await soonOrSeen();
  }
}

/** After the pause, and not before somebody looks again. */
const soonOrSeen = () =>
  new Promise<void>((resolve) => {
    const go = () => {
      if (document.hidden) return;
      document.removeEventListener('visibilitychange', go);
      resolve();
    };
    setTimeout(() => {
      document.addEventListener('visibilitychange', go);
      go();
    }, POLL_MS);
  });

function setLive(): void {
  if (connection.peek() === 'disconnected') reconnections.value++;
  connection.value = 'live';
}

function open(): void {
  const source = new EventSource('api/live');
  let heardMs = Date.now();
  const heard = () => {
    heardMs = Date.now();
    setLive();
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
    isTroubled.value = false;
    overview.value = JSON.parse((event as MessageEvent<string>).data) as Overview;
  });
  source.addEventListener('alive', () => {
    heard();
    isTroubled.value = false;
  });
  source.addEventListener('trouble', () => {
    heard();
    isTroubled.value = true;
  });
  source.onerror = again;
}
