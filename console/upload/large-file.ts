/** A large file in parts: what is there already, told by its digest, is not sent again. */
import type { ArrivedPart } from '../../shared/console/api.ts';
import type { Place } from '../../shared/console/backend.ts';
import { post, put, ServerProblem } from '../server.ts';
import type { Keeper } from './kept-upload.ts';
import { patiently } from './patiently.ts';
import { bytesOf } from './readable.ts';

/** Smaller files go in one request. */
export const LARGE_BYTES = 16 * 1024 * 1024;
/** As the server says when it begins; the same all along an upload. */
const PART_BYTES = 8 * 1024 * 1024;

export async function sendLarge(
  upload: string,
  { path, file, digest }: { readonly path: string; readonly file: File; readonly digest: string },
  keeper: Keeper,
  onProgress: (sentBytes: number) => void,
): Promise<void> {
  const base = `uploads/${upload}/parts`;
  const { partsId, there } = await findParts(base, path, digest, keeper);
  const byNumber = new Map(there.map((part) => [part.number, part]));
  for (let number = 1, from = 0; from < file.size; number++, from += PART_BYTES) {
    const part = await bytesOf(file.slice(from, from + PART_BYTES));
    const sha256 = await base64Sha256(part);
    onProgress(from);
    const isThere = byNumber.get(number)?.sha256 === sha256;
    if (!isThere)
      await patiently(async () => {
        const place = await post<Place>(`${base}/place`, { path, partsId, number, sha256 });
        await put(place, part, (sent) => onProgress(from + sent));
      });
  }
  await patiently(() => post(`${base}/complete`, { path, partsId, sizeBytes: file.size }));
}

async function findParts(
  base: string,
  path: string,
  digest: string,
  keeper: Keeper,
): Promise<{ partsId: string; there: readonly ArrivedPart[] }> {
  const known = keeper.partsOf(digest);
  if (known !== undefined)
    try {
      const { parts } = await patiently(() =>
        post<{ parts: ArrivedPart[] }>(`${base}/list`, { path, partsId: known }),
      );
      return { partsId: known, there: parts };
    } catch (error) {
      if (!(error instanceof ServerProblem) || error.status !== 404) throw error;
    }
  const { partsId } = await patiently(() => post<{ partsId: string }>(`${base}/begin`, { path }));
  keeper.setParts(digest, partsId);
  return { partsId, there: [] };
}

async function base64Sha256(bytes: ArrayBuffer): Promise<string> {
  return btoa(String.fromCharCode(...new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))));
}
