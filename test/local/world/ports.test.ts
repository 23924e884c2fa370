/** Ports of the local world: chosen free, and chosen again when another program is faster. */
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { choosePorts, onFreePorts, PortTakenError } from '../../../local/world/ports.ts';

const open: Server[] = [];

async function listen(port: number): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  open.push(server);
  return (server.address() as AddressInfo).port;
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => new Promise((done) => server.close(done))));
});

it('gives the next free port for one that is taken', async () => {
  const base = await listen(0);
  const ports = await choosePorts(base, 2);
  expect(ports).not.toContain(base);
  expect(new Set(ports).size).toBe(2);
});

/** Another program that takes the second port of the first `times` choices. */
function rival(times: number) {
  const choices: (readonly number[])[] = [];
  return {
    choices,
    async start(ports: readonly number[]): Promise<readonly number[]> {
      choices.push(ports);
      if (choices.length <= times) await listen(ports[1] ?? 0);
      for (const port of ports) await listen(port);
      return ports;
    },
  };
}

it('chooses others when a port is taken between the choice and the use', async () => {
  const base = await listen(0);
  const { start, choices } = rival(2);
  const releasing = async (ports: readonly number[]) => {
    const before = open.length;
    try {
      return await start(ports);
    } catch (error) {
      // What was opened is closed again, but for the rival's port, which is the first.
      await Promise.all(open.splice(before + 1).map((server) => new Promise((done) => server.close(done))));
      throw error;
    }
  };
  const ports = await onFreePorts({ base, count: 3, isAsked: false }, releasing);
  expect(choices).toHaveLength(3);
  expect(ports).not.toContain(choices[0]?.[1]);
  expect(ports).not.toContain(choices[1]?.[1]);
});

it('tells in one line which port was lost when a person named them', async () => {
  const { start, choices } = rival(Number.POSITIVE_INFINITY);
  const lost = onFreePorts({ base: 0, count: 2, isAsked: true }, start);
  await expect(lost).rejects.toThrow(PortTakenError);
  await expect(lost).rejects.toThrow(`port ${choices[0]?.[1]} was taken`);
  expect(choices).toHaveLength(1);
});

it('gives up after a few choices', async () => {
  const { start, choices } = rival(Number.POSITIVE_INFINITY);
  await expect(onFreePorts({ base: 0, count: 2, isAsked: false }, start)).rejects.toThrow(PortTakenError);
  expect(choices).toHaveLength(5);
});

it('leaves other errors alone', async () => {
  const start = async () => {
    throw new Error('disk full');
  };
  await expect(onFreePorts({ base: 0, count: 1, isAsked: false }, start)).rejects.toThrow('disk full');
});
