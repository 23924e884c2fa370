/** Questions to the console's server. What may name a patient goes into a body, never into an address. */

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

async function ask(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(`api/${path}`, init);
  } catch {
    throw new ServerProblem(0, NO_ANSWER);
  }
  if (response.ok) return response;
  const body: unknown = await response.json().catch(() => undefined);
  const message = (body as { message?: unknown } | undefined)?.message;
  throw new ServerProblem(response.status, typeof message === 'string' ? message : `HTTP ${response.status}`);
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await (await ask(path, signal ? { signal } : {})).json()) as T;
}

export async function getBytes(path: string, signal?: AbortSignal): Promise<ArrayBuffer> {
  return (await ask(path, signal ? { signal } : {})).arrayBuffer();
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

/** Sends bytes and tells how far they are; paths travel in a header. Throws ServerProblem. */
export function put(
  path: string,
  body: Blob | ArrayBuffer,
  {
    headers,
    onProgress,
  }: {
    readonly headers: Readonly<Record<string, string>>;
    readonly onProgress: (sentBytes: number) => void;
  },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('PUT', `api/${path}`);
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
