/** Questions to the console's server. What may name a patient goes into a body, never into an address. */

import type { DecisionState } from '../shared/console/api.ts';
import type { Download, Place } from '../shared/console/backend.ts';
import { authorization, refused } from './sign-in/session.ts';

/** The server's own words about what went wrong. */
export class ServerProblem extends Error {
  override readonly name = 'ServerProblem';
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const NO_ANSWER = 'The console server does not answer.';
/** Longer than any answer takes: the server itself gives up on the services before. */
const LONGEST_MS = 60_000;
const TOO_LATE = `The console server did not answer within ${LONGEST_MS / 1000} seconds.`;

interface Asked extends Omit<RequestInit, 'signal'> {
  readonly signal?: AbortSignal | undefined;
  readonly longestMs?: number;
}

/** Throws ServerProblem, and AbortError where the caller's signal says so. */
async function ask<T>(path: string, init: Asked, read: (response: Response) => Promise<T>): Promise<T> {
  const { signal, longestMs = LONGEST_MS, ...rest } = init;
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), longestMs);
  const either = signal ? AbortSignal.any([signal, late.signal]) : late.signal;
  try {
    const headers = { ...rest.headers, ...(await inTime(authorization(), either)) };
    const response = await fetch(`api/${path}`, { ...rest, headers, signal: either });
    if (response.status === 401) return await refused();
    if (!response.ok) throw await problemOf(response);
    return await read(response);
  } catch (error) {
    if (signal?.aborted || error instanceof ServerProblem) throw error;
    throw new ServerProblem(0, late.signal.aborted ? TOO_LATE : NO_ANSWER);
  } finally {
    clearTimeout(timer);
  }
}

/** Rejects when the signal aborts first. */
const inTime = <T>(promise: Promise<T>, signal: AbortSignal): Promise<T> =>
  new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason as Error);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop);
    promise.then(resolve, reject);
  });

async function problemOf(response: Response): Promise<ServerProblem> {
  const body: unknown = await response.json().catch(() => undefined);
  const message = (body as { message?: unknown } | undefined)?.message;
  return new ServerProblem(
    response.status,
    typeof message === 'string' ? message : `The console server answered HTTP ${response.status}.`,
  );
}

export const get = <T>(path: string, signal?: AbortSignal): Promise<T> => ask(path, { signal }, jsonOf<T>);

const jsonOf = async <T>(response: Response) => (await response.json()) as T;

/** Bytes come in pieces of this size: some servers answer with little more at once. */
const PIECE_BYTES = 4 * 1024 * 1024;

export async function getBytes(path: string, signal?: AbortSignal): Promise<ArrayBuffer> {
  const piece = (from: number) => getPiece(path, from, PIECE_BYTES, signal);
  const first = await piece(0);
  if (!(first.total > first.bytes.byteLength)) return first.bytes;
  const whole = new Uint8Array(first.total);
  whole.set(new Uint8Array(first.bytes));
  for (let at = first.bytes.byteLength; at < whole.length; ) {
    const { bytes } = await piece(at);
    if (bytes.byteLength === 0) throw new ServerProblem(0, NO_ANSWER);
    whole.set(new Uint8Array(bytes), at);
    at += bytes.byteLength;
  }
  return whole.buffer;
}

/** At most so many bytes, and how many there are in all; NaN where these are all. */
export function getPiece(
  path: string,
  from: number,
  length: number,
  signal?: AbortSignal,
): Promise<{ bytes: ArrayBuffer; total: number }> {
  const headers = { range: `bytes=${from}-${from + length - 1}` };
  return ask(path, { headers, signal }, async (response) => ({
    bytes: await response.arrayBuffer(),
    total: Number(/\/(\d+)$/.exec(response.headers.get('content-range') ?? '')?.[1]),
  }));
}

/** `longestMs`: for what takes as long as there are objects. */
export function post<T>(
  path: string,
  body: object = {},
  { signal, longestMs }: { readonly signal?: AbortSignal | undefined; readonly longestMs?: number } = {},
): Promise<T> {
  const init = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal,
    ...(longestMs === undefined ? {} : { longestMs }),
  };
  return ask(path, init, jsonOf<T>);
}

/** Starts a download where the server says. */
export async function download(what: Download): Promise<void> {
  const { url } = await post<{ url: string }>('downloads', what);
  const link = document.createElement('a');
  link.href = url;
  link.download = '';
  link.click();
}

const SLOWEST_LOOK_MS = 2_000;

/** Names a decision, so that asking again for want of an answer is no second one. */
export function newDecisionId(): string {
  const random = [...crypto.getRandomValues(new Uint8Array(4))].map((byte) =>
    byte.toString(16).padStart(2, '0'),
  );
  return `resolve-${Date.now().toString(36)}-${random.join('')}`;
}

/** Asks for a decision about a series and waits for its end, in words. Throws ServerProblem, 409 when it is not carried out. */
export async function decide(body: object): Promise<string> {
  const { decisionId } = await post<{ decisionId: string }>('series/resolve', body);
  for (let pauseMs = 100; ; pauseMs = Math.min(SLOWEST_LOOK_MS, 1.5 * pauseMs)) {
    const stands = await get<DecisionState>(`decisions/${decisionId}`).catch((error: ServerProblem) => {
      // Carried out or not is not told by a line that broke: look again.
      if (![0, 429].includes(error.status) && error.status < 500) throw error;
      return { state: 'running' } as const;
    });
    if (stands.state === 'done') return stands.says;
    if (stands.state === 'refused') throw new ServerProblem(409, stands.says);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

/** Sends bytes to a place that the server named, and tells how far they are. Throws ServerProblem. */
export function put(
  { url, headers }: Place,
  body: Blob | ArrayBuffer,
  onProgress: (sentBytes: number) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('PUT', url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.setRequestHeader('content-type', 'application/octet-stream');
    // A body takes as long as it takes, while it moves.
    const stalled = () => request.abort();
    let timer = setTimeout(stalled, LONGEST_MS);
    request.upload.onprogress = (event) => {
      clearTimeout(timer);
      timer = setTimeout(stalled, LONGEST_MS);
      onProgress(event.loaded);
    };
    request.onloadend = () => clearTimeout(timer);
    request.onload = () =>
      request.status === 200
        ? resolve()
        : reject(
            new ServerProblem(request.status, messageOf(request.responseText) ?? `HTTP ${request.status}`),
          );
    request.onerror = () => reject(new ServerProblem(0, NO_ANSWER));
    request.onabort = request.onerror;
    request.send(body);
  });
}

function messageOf(body: string): string | undefined {
  try {
    const { message } = JSON.parse(body) as { message?: unknown };
    return typeof message === 'string' ? message : undefined;
  } catch {
    return undefined;
  }
}
