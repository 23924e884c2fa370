/** Ports on loopback: the wanted ones, or the next free. */
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
