/** A HealthImaging endpoint that hands on every call to the real server, and changes answers as a test says. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { FrameEntry, InstanceEntry } from '../../shared/ports/imaging-service.ts';

export interface StoredDocument {
  readonly Study: {
    readonly Series: Record<
      string,
      {
        readonly Instances: Record<
          string,
          Omit<InstanceEntry, 'DICOM' | 'ImageFrames'> & {
            DICOM: Record<string, unknown>;
            ImageFrames: FrameEntry[];
          }
        >;
      }
    >;
  };
}

export interface Tampering {
  /** Changes the metadata document in place. */
  metadata?: (document: StoredDocument) => void;
  /** The frame to give instead; undefined for 404. */
  frame?: (imageFrameId: string) => string | undefined;
  /** Answers the first calls of GetImageFrame with ThrottlingException. */
  throttledFrames?: number;
}

export interface TamperingProxy {
  readonly endpoint: string;
  /** Paths of all calls so far. */
  readonly calls: string[];
  tampering: Tampering;
  close(): Promise<void>;
}

export async function startTamperingProxy(target: string): Promise<TamperingProxy> {
  const proxy: TamperingProxy = { endpoint: '', calls: [], tampering: {}, close: async () => undefined };
  const server = createServer((request, response) => {
    answer(proxy, target, request).then(
      ({ status, headers, body }) => response.writeHead(status, headers).end(body),
      () => response.writeHead(502).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(proxy, {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
}

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array;
}

async function answer(proxy: TamperingProxy, target: string, request: IncomingMessage): Promise<Answer> {
  const path = request.url ?? '/';
  proxy.calls.push(path);
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  let body = Buffer.concat(chunks);
  const { tampering } = proxy;
  if (path.endsWith('/getImageFrame')) {
    if (tampering.throttledFrames) {
      tampering.throttledFrames -= 1;
      return refusal(429, 'ThrottlingException');
    }
    const { imageFrameId } = JSON.parse(body.toString()) as { imageFrameId: string };
    const instead = tampering.frame ? tampering.frame(imageFrameId) : imageFrameId;
    if (instead === undefined) return refusal(404, 'ResourceNotFoundException');
    body = Buffer.from(JSON.stringify({ imageFrameId: instead }));
  }
  const handedOn = await fetch(`${target}${path}`, {
    method: request.method ?? 'GET',
    headers: { 'content-type': 'application/json' },
    ...(body.length > 0 ? { body } : {}),
  });
  // fetch inflates what says that it is gzip; the document is sent on as gzip either way.
  const bytes = Buffer.from(await handedOn.arrayBuffer());
  const headers = { 'content-type': handedOn.headers.get('content-type') ?? 'application/json' };
  if (!handedOn.ok) {
    const type = handedOn.headers.get('x-amzn-errortype') ?? '';
    return { status: handedOn.status, headers: { ...headers, 'x-amzn-errortype': type }, body: bytes };
  }
  if (!path.includes('/getImageSetMetadata')) return { status: handedOn.status, headers, body: bytes };
  const text = bytes[0] === 0x1f ? gunzipSync(bytes) : bytes;
  const document = JSON.parse(text.toString()) as StoredDocument;
  tampering.metadata?.(document);
  return { status: handedOn.status, headers, body: gzipSync(JSON.stringify(document)) };
}

const refusal = (status: number, type: string): Answer => ({
  status,
  headers: { 'content-type': 'application/json', 'x-amzn-errortype': type },
  body: Buffer.from('{"message":"refused"}'),
});
