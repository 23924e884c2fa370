/** HTTP, bare: bounded bodies in, replies and the service's errors out. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ServiceError, validation } from './errors.ts';
import { isStream, type Reply } from './output.ts';

/** The largest body the model allows is a CopyImageSet of 260,000 characters, all of them escaped. */
export const MAX_BODY_BYTES = 2 * 1024 * 1024;

/** The whole body, or RequestEntityTooLargeException as soon as it is longer than `maxBytes`. */
export async function readBody(request: IncomingMessage, maxBytes = MAX_BODY_BYTES): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxBytes)
        throw new ServiceError('RequestEntityTooLargeException', 'The request body is too large');
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof ServiceError) throw error;
    // Who sent it went away, or broke the framing: no fault of ours, and nobody is left to read the answer.
    throw validation('The request body is not whole');
  }
  return new Uint8Array(Buffer.concat(chunks));
}

/** A streamed body that fails on its way ends the connection: its reader sees that the answer is not whole. */
export async function send(
  response: ServerResponse,
  reply: Reply,
  requestId: string = randomUUID(),
): Promise<void> {
  if (response.headersSent || response.destroyed) return;
  const { statusCode, headers, body } = reply;
  const content = typeof body === 'string' ? Buffer.from(body) : body;
  const sizeBytes = isStream(content) ? content.sizeBytes : content.length;
  response.writeHead(statusCode, {
    ...headers,
    ...(sizeBytes !== undefined && { 'content-length': sizeBytes }),
    'x-amzn-requestid': requestId,
  });
  if (isStream(content)) await pipeline(content.chunks, response);
  else response.end(content);
}

/** What the service answers for an error; anything unexpected is an InternalServerException without details. */
export function toErrorReply(error: unknown): Reply {
  const known =
    error instanceof ServiceError
      ? error
      : new ServiceError('InternalServerException', 'Internal server error', { cause: error });
  return {
    statusCode: known.statusCode,
    headers: { 'content-type': 'application/json', 'x-amzn-errortype': known.name },
    body: JSON.stringify({ message: known.message }),
  };
}

/** What is not even HTTP, or has headers beyond all bounds, gets an answer of the service's shape too. */
export function refuseConnection(error: Error & { code?: string }, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const isTooLarge = error.code === 'HPE_HEADER_OVERFLOW';
  const [status, name] = isTooLarge
    ? ['413 Payload Too Large', 'RequestEntityTooLargeException']
    : ['400 Bad Request', 'ValidationException'];
  const body = JSON.stringify({
    message: isTooLarge ? 'The request headers are too large' : 'Not a valid request',
  });
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\nx-amzn-errortype: ${name}\r\n` +
      `x-amzn-requestid: ${randomUUID()}\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
  );
}
