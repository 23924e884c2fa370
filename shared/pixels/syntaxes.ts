/** Transfer syntaxes by how their frames are decoded; one line each. */

export type DecoderName = 'native' | 'rle' | 'codestream';

interface PixelSyntax {
  readonly decoder: DecoderName;
  /** True: every decoder gives the very same pixels. False: compare within a tolerance. Undefined: the frame tells. */
  readonly exact?: boolean;
}

const PREFIX = '1.2.840.10008.1.2';

/** PS3.6 table A-1; syntaxes that are not here have no decoder in our codecs. */
export const PIXEL_SYNTAXES: Readonly<Record<string, PixelSyntax>> = {
  [PREFIX]: { decoder: 'native', exact: true },
  [`${PREFIX}.1`]: { decoder: 'native', exact: true },
  [`${PREFIX}.1.99`]: { decoder: 'native', exact: true },
  [`${PREFIX}.2`]: { decoder: 'native', exact: true },
  [`${PREFIX}.5`]: { decoder: 'rle', exact: true },
  [`${PREFIX}.4.201`]: { decoder: 'codestream', exact: true },
  [`${PREFIX}.4.202`]: { decoder: 'codestream', exact: true },
  [`${PREFIX}.4.203`]: { decoder: 'codestream' },
};

/** Whether our codecs can turn frames of this syntax into pixels. */
export function canDecode(transferSyntaxUID: string): boolean {
  return Object.hasOwn(PIXEL_SYNTAXES, transferSyntaxUID);
}
