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

async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = { ...init.headers, ...(await authorization()) };
  let response: Response;
  try {
    response = await fetch(`api/${path}`, { ...init, headers });
  } catch (error) {
    if ((error as Error).name === 'AbortError') throw error;
    throw new ServerProblem(0, NO_ANSWER);
  }
  if (response.ok) return response;
  if (response.status === 401) return refused();
  const body: unknown = await response.json().catch(() => undefined);
  const message = (body as { message?: unknown } | undefined)?.message;
  throw new ServerProblem(response.status, typeof message === 'string' ? message : `HTTP ${response.status}`);
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await (await ask(path, signal ? { signal } : {})).json()) as T;
}

/** Bytes come in pieces of this size: some servers answer with little more at once. */
const PIECE_BYTES = 4 * 1024 * 1024;

export async function getBytes(path: string, signal?: AbortSignal): Promise<ArrayBuffer> {
  const piece = async (from: number) => {
    const headers = { range: `bytes=${from}-${from + PIECE_BYTES - 1}` };
    const response = await ask(path, { headers, ...(signal ? { signal } : {}) });
    const total = Number(/\/(\d+)$/.exec(response.headers.get('content-range') ?? '')?.[1]);
    return { bytes: await response.arrayBuffer(), total };
  };
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

export async function post<T>(path: string, body: object = {}, signal?: AbortSignal): Promise<T> {
  const init = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    ...(signal ? { signal } : {}),
  };
  return (await (await ask(path, init)).json()) as T;
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

/** Asks for a decision about a series and waits for its end, in words. Throws ServerProblem when it is not carried out. */
export async function decide(body: object): Promise<string> {
  const { decisionId } = await post<{ decisionId: string }>('series/resolve', body);
  for (let pauseMs = 100; ; pauseMs = Math.min(SLOWEST_LOOK_MS, 1.5 * pauseMs)) {
    const stands = await get<DecisionState>(`decisions/${decisionId}`).catch((error: ServerProblem) => {
      // Carried out or not is not told by a line that broke: look again.
      if (error.status !== 0 && error.status < 500) throw error;
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
    request.upload.onprogress = (event) => onProgress(event.loaded);
    request.onload = () =>
      request.status === 200
        ? resolve()
        : reject(
            new ServerProblem(request.status, messageOf(request.responseText) ?? `HTTP ${request.status}`),
          );
    request.onerror = () => reject(new ServerProblem(0, NO_ANSWER));
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
