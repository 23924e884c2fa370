/** Server-sent events: the overview, read once for all pages that listen and sent when it changes. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Overview } from '../../shared/console/api.ts';
import { securityHeaders } from '../../shared/console/security-headers.ts';

const EVERY_MS = 1_000;
const SLOWEST_MS = 4_000;
/** A page that hears nothing for longer than twice this says that it is disconnected. */
const HEARTBEAT_MS = 5_000;
/** Pages of one machine. */
const MAX_LISTENERS = 64;

export interface Live {
  listen(request: IncomingMessage, response: ServerResponse): void;
  close(): void;
}

/** Reads nothing while nobody listens. */
export function makeLive(read: () => Promise<Overview>, log: (line: string) => void): Live {
  const listeners = new Set<ServerResponse>();
  let timer: NodeJS.Timeout | undefined;
  let last = '';
  let lastSentMs = 0;

  const write = (text: string) => {
    for (const listener of listeners) listener.write(text);
    lastSentMs = Date.now();
  };
  const tick = async () => {
    timer = undefined;
    const startedMs = performance.now();
    try {
      const overview = await read();
      const text = JSON.stringify({ ...overview, at: '' });
      if (text !== last) {
        last = text;
        write(`event: overview\ndata: ${JSON.stringify(overview)}\n\n`);
      } else if (Date.now() - lastSentMs >= HEARTBEAT_MS) write('event: alive\ndata: {}\n\n');
    } catch (error) {
      log(`console: ${(error as Error).name}`);
      write('event: trouble\ndata: {}\n\n');
    }
    // A world that takes long to look at is looked at less often: at most a tenth of the time goes into it.
    const tookMs = performance.now() - startedMs;
    if (listeners.size > 0) timer = setTimeout(tick, Math.max(EVERY_MS, Math.min(SLOWEST_MS, 9 * tookMs)));
  };
  return {
    listen(request, response) {
      if (listeners.size >= MAX_LISTENERS) {
        response.writeHead(503, securityHeaders()).end();
        return;
      }
      response.writeHead(200, {
        ...securityHeaders(),
        'content-type': 'text/event-stream',
      });
      response.write('retry: 2000\n\n');
      listeners.add(response);
      request.once('close', () => listeners.delete(response));
      last = '';
      timer ??= setTimeout(tick, 0);
    },
    close() {
      clearTimeout(timer);
      for (const listener of listeners) listener.end();
      listeners.clear();
    },
  };
}
