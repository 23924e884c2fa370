/** Objects that are odd but legal, or wrong in ways that readers can repair: what the inspection says, and the frames. */
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { bufferSource } from '../../shared/dicom/byte-source.ts';
import { toMetadata } from '../../shared/dicom/metadata.ts';
import { readP10 } from '../../shared/dicom/p10.ts';
import { inspectObject } from '../../shared/ingest/inspect.ts';
import { decodeFrame } from '../../shared/pixels/frame-operations.ts';
import { openFrames } from '../../shared/pixels/frames.ts';
import { nodeTools } from '../pixels/node-tools.ts';
import { oddFiles } from './odd-files.ts';

const tools = nodeTools();

describe('odd objects', () => {
  it.each(oddFiles)('%s', async (_name, file, expected) => {
    for (const profile of ['current', '2024'] as const) {
      const verdict = await inspectObject(bufferSource(file), { key: 'a.dcm', profile });
      const got = verdict.verdict === 'accepted' ? 'accepted' : verdict.code;
      const wanted = (profile === '2024' ? expected.in2024 : undefined) ?? expected.verdict ?? 'accepted';
      expect(got, JSON.stringify(verdict)).toBe(wanted);
      if (verdict.verdict === 'accepted' && expected.warnings)
        expect(verdict.warnings.map(({ code }) => code)).toEqual(expected.warnings);
    }
    if (expected.metadata) {
      const document = await toMetadata(await readP10(bufferSource(file)));
      const all = { ...document.Patient, ...document.Study, ...document.Series, ...document.Instance };
      expect(all).toMatchObject(expected.metadata);
    }
    if (expected.frames) {
      const source = await openFrames(await readP10(bufferSource(file)));
      expect(source.frameCount).toBe(expected.frames.length);
      const { description } = source;
      const { transferSyntaxUID } = description;
      for (const [index, pixels] of expected.frames.entries()) {
        const encoded = await source.encodedFrame(index);
        const decoded = await decodeFrame(tools, { encoded, transferSyntaxUID, description });
        expect(decoded.crc32, `frame ${index}`).toBe(crc32(pixels));
      }
    }
  });
});
