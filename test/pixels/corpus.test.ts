/** Every file of the shared material: our pixels against those of independent decoders. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CodecPool, createCodecPool } from '../../shared/pixels/codec-pool.ts';
import { canDecode } from '../../shared/pixels/syntaxes.ts';
import { hasSharedDicom, readManifest, readShared } from '../shared-material.ts';
import { judgeFile } from './judge-file.ts';

let pool: CodecPool;
beforeAll(() => {
  pool = createCodecPool({ workers: 2 });
});
afterAll(() => pool.close());

/** Not P10 objects: refused before their pixels are looked at. */
const refused = new Set(['broken/no_meta.dcm']);
const told = (hasSharedDicom ? readManifest().files : []).filter(
  ({ path, truth }) => truth?.framesCrc32?.length && !refused.has(path),
);

describe.skipIf(!hasSharedDicom)('the shared material, decoded', () => {
  it('has a decoder for every file with an independent truth', () => {
    const without = told.filter(({ transferSyntaxUID: uid }) => uid !== null && !canDecode(uid));
    expect(without.map((file) => file.path)).toEqual([]);
  });

  for (const file of told)
    it(`${file.path} has the ${file.truth?.exact ? 'pixels' : 'lossy pixels'} of ${file.truth?.decoder}`, async () => {
      const judged = await judgeFile(pool, file);
      expect(judged).toMatchObject({ different: 0, untold: 0 });
      expect(judged.exact + judged.within).toBe(judged.frames);
      if (file.truth?.exact || file.truth?.withoutColourConversion) expect(judged.within).toBe(0);
    });
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
