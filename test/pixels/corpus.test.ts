/** Every file of the shared material: our pixels against the CRC32s that independent decoders gave. */
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bufferSource } from '../../shared/dicom/byte-source.ts';
import { readP10 } from '../../shared/dicom/p10.ts';
import { type CodecPool, createCodecPool } from '../../shared/pixels/codec-pool.ts';
import { type ImageDescription, openFrames } from '../../shared/pixels/frames.ts';
import { canDecode } from '../../shared/pixels/syntaxes.ts';
import { hasSharedDicom, type ManifestFile, readManifest, readShared } from '../shared-material.ts';
import { nativeForms } from './native-forms.ts';

let pool: CodecPool;
beforeAll(() => {
  pool = createCodecPool({ workers: 2 });
});
afterAll(() => pool.close());

const files = hasSharedDicom ? readManifest().files : [];
/** Not P10 objects: refused before their pixels are looked at. */
const refused = new Set(['broken/no_meta.dcm']);
const exact = files.filter(
  (file) => file.truth?.exact && file.truth.framesCrc32?.length && !refused.has(file.path),
);

/** Which form of the native bytes has the manifest's CRC32, for each frame: `as stored`, `raw words`, … or `none`. */
async function formsOf(file: ManifestFile): Promise<string[]> {
  const p10 = await readP10(bufferSource(readShared(file.path)));
  const frames = await openFrames(p10);
  const { description } = frames;
  const truth = file.truth!;
  expect(frames.frameCount).toBe(truth.framesCrc32.length);
  const forms: string[] = [];
  for (let index = 0; index < frames.frameCount; index++) {
    const encoded = await frames.encodedFrame(index);
    const decoded = await pool.decode(encoded, description.transferSyntaxUID, description);
    expect(decoded.crc32).toBe(crc32(decoded.pixels));
    forms.push(
      matchingForm(
        truth.framesCrc32[index]!,
        encoded,
        decoded.pixels,
        description,
        truth.planarConfiguration,
      ),
    );
  }
  return forms;
}

function matchingForm(
  wanted: number,
  encoded: Uint8Array,
  pixels: Uint8Array,
  description: ImageDescription,
  planar: number | null,
): string {
  for (const [name, bytes] of nativeForms(encoded, pixels, description, planar))
    if (crc32(bytes) === wanted) return name;
  return 'none';
}

describe.skipIf(!hasSharedDicom)('the shared material, decoded', () => {
  for (const file of exact)
    it.skipIf(!canDecode(file.transferSyntaxUID ?? '') && file.transferSyntaxUID !== null)(
      `${file.path} has the pixels of ${file.truth?.decoder}`,
      async () => {
        const forms = await formsOf(file);
        expect(forms.filter((form) => form === 'none')).toEqual([]);
      },
    );
});

describe.skipIf(!hasSharedDicom)('bare HTJ2K codestreams', () => {
  for (const stream of hasSharedDicom ? readManifest().codestreams : [])
    it(`${stream.path} decodes to the CRC32 of OpenJPEG`, async () => {
      const proof = await pool.verify(readShared(stream.path));
      const decoded = stream.decoded as { crc32: number };
      expect(proof).toMatchObject({
        crc32: decoded.crc32,
        rows: stream.height,
        columns: stream.width,
        samplesPerPixel: stream.components,
        bitsStored: stream.precision,
        signed: stream.signed,
      });
    });
});
