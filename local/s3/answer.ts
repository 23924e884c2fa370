/** Answers: what an operation returns, and how it goes out over HTTP. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { S3Error } from './s3-error.ts';
import type { OpenContent } from './store/content.ts';
import { escapeXml } from './xml.ts';

export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An XML document. */
  readonly xml?: string;
  /** Object bytes: `lengthBytes` of them. */
  readonly content?: OpenContent;
  /** Of the body; with HEAD of the body that there is not. */
  readonly lengthBytes?: number;
}

/** Writes the answer; resolves when its bytes are with the operating system or the client has gone. */
export async function send(response: ServerResponse, answer: Answer): Promise<void> {
  const { status = 200, headers = {}, xml, content } = answer;
  if (content) {
    try {
      response.writeHead(status, { ...headers, 'content-length': String(answer.lengthBytes ?? 0) });
    } catch (error) {
      await content.close();
      throw error;
    }
    return sendContent(response, content);
  }
  const body = xml === undefined ? undefined : Buffer.from(xml, 'utf8');
  const length = body?.length ?? answer.lengthBytes ?? (status === 204 || status === 304 ? undefined : 0);
  response.writeHead(status, {
    ...headers,
    ...(body && { 'content-type': 'application/xml' }),
    ...(length !== undefined && { 'content-length': String(length) }),
  });
  response.end(body);
}

async function sendContent(response: ServerResponse, content: OpenContent): Promise<void> {
  try {
    await content.pump((bytes) => writeAll(response, bytes));
    response.end();
  } catch {
    // The status has gone out: only a broken connection can tell the client.
    response.destroy();
  }
}

/** Resolves when `bytes` may be reused; rejects when the connection is gone. */
function writeAll(response: ServerResponse, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    if (response.destroyed || response.closed) return reject(new Error('the connection is closed'));
    const gone = () => reject(new Error('the connection is closed'));
    response.once('close', gone);
    response.write(bytes, (error) => {
      response.off('close', gone);
      if (error) reject(error);
      else resolve();
    });
  });
}

/** The answer of an error; HEAD and 304 have no body. */
export function errorAnswer(error: S3Error, request: IncomingMessage, requestId: string): Answer {
  const { status, headers } = error;
  if (request.method === 'HEAD' || status === 304) return { status, headers };
  return { status, headers, xml: renderError(error, request.url ?? '/', requestId) };
}

export function renderError(error: S3Error, resource: string, requestId: string): string {
  const facts = Object.entries(error.facts).map(([name, value]) => `<${name}>${escapeXml(value)}</${name}>`);
  return (
    `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${error.code}</Code>` +
    `<Message>${escapeXml(error.message)}</Message>${facts.join('')}` +
    `<Resource>${escapeXml(resource.split('?')[0]!.slice(0, 2048))}</Resource><RequestId>${requestId}</RequestId></Error>`
  );
}
