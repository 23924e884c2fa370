/** The carrier alone: events of an HTTP API in, answers of a function out, at their limits. */
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Backend } from '../../shared/console/backend.ts';
import { HttpProblem } from '../../shared/console/http.ts';
import { answerHttpApi, type HttpApiParts, MAX_ANSWER_BYTES } from '../../shared/console/http-api.ts';

const page = Buffer.from('<!doctype html><p>é');
const lines: string[] = [];

/** A console whose overview is whatever `overview` gives, and whose frames are so many bytes. */
function partsWith(overview: () => Promise<unknown>, frameBytes = 0): HttpApiParts {
  const imaging = async () => new Response(Buffer.alloc(frameBytes, 7));
  return {
    services: {
      backend: { datastoreId: 'd', imaging } as unknown as Backend,
      overview: overview as HttpApiParts['services']['overview'],
      searchExecutions: async () => ({ executions: [], looked: 0 }),
      held: async () => ({ cases: [], looked: 0 }),
      refusals: async () => ({ ingests: [], looked: 0 }),
    },
    files: new Map([['/', { body: page, contentType: 'text/html; charset=utf-8' }]]),
    connectTo: async () => ['https://login.example.org'],
    log: (line) => lines.push(line),
  };
}

const CLAIMS = { sub: 'person-1', email: 'p@example.org' };

const event = (method: string, rawPath: string, more: object = {}, claims: object | null = CLAIMS) => ({
  version: '2.0',
  routeKey: '-',
  rawPath,
  rawQueryString: '',
  headers: {},
  isBase64Encoded: false,
  requestContext: {
    http: { method, path: rawPath },
    ...(claims === null ? {} : { authorizer: { jwt: { claims, scopes: null } } }),
  },
  ...more,
});

const ID = 'a'.repeat(32);
const frame = `/api/image-sets/${ID}/frames/${ID}`;
const messageOf = ({ body }: { body: string }) => (JSON.parse(body) as { message: string }).message;

describe('an event', () => {
  it('for the page is answered with it and with the policy of the pages', async () => {
    const answer = await answerHttpApi(
      partsWith(async () => ({})),
      event('GET', '/', {}, null),
    );
    expect(answer).toMatchObject({ statusCode: 200, isBase64Encoded: false, body: page.toString() });
    expect(answer.headers['content-security-policy']).toContain(
      "connect-src 'self' https://login.example.org;",
    );
  });

  it('for the page is answered though the issuer cannot be asked', async () => {
    const parts = {
      ...partsWith(async () => ({})),
      connectTo: () => Promise.reject(new HttpProblem(502, 'gone')),
    };
    const answer = await answerHttpApi(parts, event('GET', '/', {}, null));
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['content-security-policy']).toContain("connect-src 'self';");
  });

  it.each([
    ['another version', { ...event('GET', '/'), version: '1.0' }],
    ['no path', { ...event('GET', '/'), rawPath: undefined }],
    ['a queue', { Records: [] }],
    ['nothing', undefined],
  ])('that is none (%s) is answered 400', async (_name, wrong) => {
    const answer = await answerHttpApi(
      partsWith(async () => ({})),
      wrong,
    );
    expect([answer.statusCode, messageOf(answer)]).toEqual([400, 'not a request of an HTTP API']);
  });

  it.each([null, {}, { email: '' }])('without a person (%o) gets nothing below /api', async (claims) => {
    for (const path of ['/api/overview', '/api/', '/api', '/api/session/'])
      expect(
        (
          await answerHttpApi(
            partsWith(async () => ({})),
            event('GET', path, {}, claims),
          )
        ).statusCode,
        path,
      ).toBe(401);
  });

  it('may come in Base64, and its body is bounded', async () => {
    const post = (body: string, isBase64Encoded: boolean) =>
      answerHttpApi(
        partsWith(async () => ({})),
        event('POST', '/api/executions/search', { body, isBase64Encoded }),
      );
    const packed = Buffer.from('{"text":"ü"}').toString('base64');
    expect((await post(packed, true)).statusCode).toBe(200);
    expect(messageOf(await post(packed, false))).toBe('the body is not a JSON object');
    expect((await post(`{"text":"${'x'.repeat(70_000)}"}`, false)).statusCode).toBe(413);
  });
});

describe('an answer', () => {
  it('of bytes is Base64, and over the limit asks for ranges, which come', async () => {
    const ask = (bytes: number, headers = {}) =>
      answerHttpApi(
        partsWith(async () => ({}), bytes),
        event('GET', frame, { headers }),
      );
    const whole = await ask(MAX_ANSWER_BYTES);
    expect([whole.statusCode, whole.isBase64Encoded]).toEqual([200, true]);
    expect(Buffer.byteLength(JSON.stringify(whole))).toBeLessThan(6 * 1024 * 1024);
    expect((await ask(MAX_ANSWER_BYTES + 1)).statusCode).toBe(413);
    const part = await ask(MAX_ANSWER_BYTES + 1, { Range: `bytes=${MAX_ANSWER_BYTES}-` });
    expect([part.statusCode, part.body]).toEqual([206, Buffer.of(7).toString('base64')]);
  });

  it('of text is text; a long one stays below what a function may answer', async () => {
    const quotes = { text: '"'.repeat(2_000_000) };
    const answer = await answerHttpApi(
      partsWith(async () => quotes),
      event('GET', '/api/overview'),
    );
    expect([answer.statusCode, answer.isBase64Encoded]).toEqual([200, true]);
    expect(Buffer.byteLength(JSON.stringify(answer))).toBeLessThan(6 * 1024 * 1024);
    expect(JSON.parse(Buffer.from(answer.body, 'base64').toString())).toEqual(quotes);
  });

  it('is packed where that is taken and worth it', async () => {
    const long = { text: 'é'.repeat(5_000) };
    const headers = { 'Accept-Encoding': 'br, gzip' };
    const answer = await answerHttpApi(
      partsWith(async () => long),
      event('GET', '/api/overview', { headers }),
    );
    expect(answer.headers['content-encoding']).toBe('gzip');
    expect(JSON.parse(gunzipSync(Buffer.from(answer.body, 'base64')).toString())).toEqual(long);
    const short = await answerHttpApi(
      partsWith(async () => ({ text: 'é' })),
      event('GET', '/api/overview', { headers }),
    );
    expect([short.headers['content-encoding'], short.body]).toEqual([undefined, '{"text":"é"}']);
  });

  it('to what went wrong inside has its name only, and so has the log', async () => {
    lines.length = 0;
    const failing = async () => {
      throw Object.assign(new Error('PHANTOM^DOE in console-1/doe.dcm'), { name: 'NoSuchKey' });
    };
    const answer = await answerHttpApi(partsWith(failing), event('GET', '/api/overview'));
    expect([answer.statusCode, messageOf(answer)]).toEqual([500, 'something went wrong inside: NoSuchKey']);
    expect(lines).toEqual(['console: NoSuchKey']);
  });
});
