/** Transfer syntaxes by how their frames are decoded; one line each. */

export type DecoderName = 'native' | 'rle' | 'jpeg' | 'jpegLs' | 'codestream';

interface PixelSyntax {
  readonly decoder: DecoderName;
  /** `true`: every decoder gives the very same pixels. `false`: within a tolerance. `frame`: the codestream tells. */
  readonly exact: boolean | 'frame';
}

const PREFIX = '1.2.840.10008.1.2';

/** PS3.6 table A-1; syntaxes that are not here have no decoder in our codecs. */
export const PIXEL_SYNTAXES: Readonly<Record<string, PixelSyntax>> = {
  [PREFIX]: { decoder: 'native', exact: true },
  [`${PREFIX}.1`]: { decoder: 'native', exact: true },
  [`${PREFIX}.1.99`]: { decoder: 'native', exact: true },
  [`${PREFIX}.2`]: { decoder: 'native', exact: true },
  [`${PREFIX}.5`]: { decoder: 'rle', exact: true },
  [`${PREFIX}.4.50`]: { decoder: 'jpeg', exact: false },
  [`${PREFIX}.4.51`]: { decoder: 'jpeg', exact: false },
  [`${PREFIX}.4.53`]: { decoder: 'jpeg', exact: false },
  [`${PREFIX}.4.55`]: { decoder: 'jpeg', exact: false },
  [`${PREFIX}.4.57`]: { decoder: 'jpeg', exact: true },
  [`${PREFIX}.4.70`]: { decoder: 'jpeg', exact: true },
  [`${PREFIX}.4.80`]: { decoder: 'jpegLs', exact: true },
  // Near-lossless loses in the encoder only: decoding is exact (T.87 A.8).
  [`${PREFIX}.4.81`]: { decoder: 'jpegLs', exact: true },
  [`${PREFIX}.4.90`]: { decoder: 'codestream', exact: true },
  [`${PREFIX}.4.91`]: { decoder: 'codestream', exact: 'frame' },
  [`${PREFIX}.4.92`]: { decoder: 'codestream', exact: true },
  [`${PREFIX}.4.93`]: { decoder: 'codestream', exact: 'frame' },
  [`${PREFIX}.4.201`]: { decoder: 'codestream', exact: true },
  [`${PREFIX}.4.202`]: { decoder: 'codestream', exact: true },
  [`${PREFIX}.4.203`]: { decoder: 'codestream', exact: 'frame' },
};

/** Whether our codecs can turn frames of this syntax into pixels. */
export function canDecode(transferSyntaxUID: string): boolean {
  return Object.hasOwn(PIXEL_SYNTAXES, transferSyntaxUID);
}
