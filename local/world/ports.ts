/** Ports on loopback: the wanted ones, or the next free; and what to do when one is taken between choice and use. */
import { type AddressInfo, createServer } from 'node:net';

const LAST_PORT = 65_535;

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** Lets the system choose; held together, so that they differ. */
async function anyPorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  await Promise.all(
    servers.map((server) => new Promise<void>((done) => server.listen(0, '127.0.0.1', () => done()))),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}

/**
 * `count` free ports: `base`, `base + 1`, … each where it is free, else the next free one above all of them.
 * Base 0 leaves every choice to the system. Throws when none is left.
 */
export async function choosePorts(base: number, count: number): Promise<number[]> {
  if (base === 0) return await anyPorts(count);
  const wanted = Array.from({ length: count }, (_, index) => base + index);
  const free = await Promise.all(wanted.map(isFree));
  const ports: number[] = [];
  let next = base + count;
  for (const [index, port] of wanted.entries()) {
    if (free[index]) ports.push(port);
    else {
      while (!(await isFree(next))) if (++next > LAST_PORT) throw new Error(`no free port from ${base}`);
      ports.push(next++);
    }
  }
  return ports;
}

/** A port that was free when it was chosen is taken now; one line for the user. */
export class PortTakenError extends Error {
  override readonly name = 'PortTakenError';
}

/** Choices before giving up: each one lost means that another program took a port within the same second. */
const CHOICES = 5;

export interface PortsWanted {
  /** As for choosePorts. */
  readonly base: number;
  readonly count: number;
  /** A person named the base: a port lost is told. Otherwise others are chosen. */
  readonly isAsked: boolean;
}

/**
 * Runs `start` on free ports. Between the choice and the use another program may be faster: then `start` throws
 * EADDRINUSE, having left nothing open, and is run again on the next free ones. Throws PortTakenError.
 */
export async function onFreePorts<T>(
  { base, count, isAsked }: PortsWanted,
  start: (ports: readonly number[]) => Promise<T>,
): Promise<T> {
  for (let choice = 1; ; choice++) {
    const ports = await choosePorts(base, count);
    try {
      return await start(ports);
    } catch (error) {
      const port = portTaken(error);
      if (port === undefined) throw error;
      if (isAsked || choice === CHOICES)
        throw new PortTakenError(
          `port ${port || ports.join(', ')} was taken by another program just now: start again, or name others with --port`,
          { cause: error },
        );
    }
  }
}

/** The port that an error, or a cause of it, says is in use; 0 where it does not say which. */
function portTaken(error: unknown): number | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { code, port, cause } = at as NodeJS.ErrnoException & { port?: number };
    if (code === 'EADDRINUSE' && (port !== undefined || cause === undefined)) return port ?? 0;
  }
  return undefined;
}
