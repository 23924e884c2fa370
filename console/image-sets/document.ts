/** The metadata document of an image set as the pages read it: what is drawn, in which order, and values by keyword. */

export type DicomValue =
  | string
  | number
  | null
  | readonly DicomValue[]
  | { readonly [key: string]: DicomValue };
export type Attributes = Readonly<Record<string, DicomValue>>;

export interface FrameEntry {
  readonly ID: string;
  readonly MinPixelValue?: number | null;
  readonly MaxPixelValue?: number | null;
  readonly FrameSizeInBytes?: number;
  readonly PixelDataChecksumFromBaseToFullResolution?: readonly {
    readonly Width: number;
    readonly Height: number;
    readonly Checksum: number;
  }[];
}

export interface InstanceEntry {
  readonly DICOM: Attributes;
  readonly StoredTransferSyntaxUID?: string | null;
  readonly ImageFrames?: readonly FrameEntry[] | null;
}

export interface MetadataDocument {
  readonly Patient: { readonly DICOM: Attributes };
  readonly Study: {
    readonly DICOM: Attributes;
    readonly Series: Readonly<
      Record<
        string,
        { readonly DICOM: Attributes; readonly Instances: Readonly<Record<string, InstanceEntry>> }
      >
    >;
  };
}

/** One frame that can be shown, with its instance. */
export interface Shown {
  readonly seriesInstanceUID: string;
  readonly sopInstanceUID: string;
  readonly modality: string;
  readonly instance: InstanceEntry;
  readonly frame: FrameEntry;
  /** From 1, within its instance. */
  readonly frameNumber: number;
  readonly framesOfInstance: number;
}

export const numberOf = (value: DicomValue | undefined): number | undefined => {
  const first = Array.isArray(value) ? (value as readonly DicomValue[])[0] : value;
  const number = typeof first === 'string' && first.trim() !== '' ? Number(first) : first;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
};

export const numbersOf = (value: DicomValue | undefined): number[] => {
  const list: readonly DicomValue[] = Array.isArray(value)
    ? value
    : value === undefined
      ? []
      : [value as DicomValue];
  return list.map((one) => numberOf(one)).filter((one) => one !== undefined);
};

export const textOf = (value: DicomValue | undefined): string => {
  if (value === undefined || value === null) return '';
  if (Array.isArray(value)) return value.map((one: DicomValue) => textOf(one)).join('\\');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
};

/** All frames, instances by InstanceNumber. Pure. */
export function framesOf(document: MetadataDocument): Shown[] {
  return Object.entries(document.Study.Series).flatMap(([seriesInstanceUID, series]) =>
    Object.entries(series.Instances)
      .sort(
        ([, a], [, b]) => (numberOf(a.DICOM.InstanceNumber) ?? 0) - (numberOf(b.DICOM.InstanceNumber) ?? 0),
      )
      .flatMap(([sopInstanceUID, instance]) =>
        (instance.ImageFrames ?? []).map((frame, index, all) => ({
          seriesInstanceUID,
          sopInstanceUID,
          modality: textOf(series.DICOM.Modality),
          instance,
          frame,
          frameNumber: index + 1,
          framesOfInstance: all.length,
        })),
      ),
  );
}

/** Instances whose frames cannot be told apart or decoded: a stored transfer syntax, but no frame. Pure. */
export function keptWhole(document: MetadataDocument): { instances: number; syntaxes: string[] } {
  const syntaxes = Object.values(document.Study.Series)
    .flatMap(({ Instances }) => Object.values(Instances))
    .flatMap(({ StoredTransferSyntaxUID: syntax, ImageFrames }) =>
      syntax && (ImageFrames ?? []).length === 0 ? [syntax] : [],
    );
  return { instances: syntaxes.length, syntaxes: [...new Set(syntaxes)] };
}

/** The different values that a keyword has anywhere in the document. Pure. */
export function findValues(document: MetadataDocument, keyword: string): string[] {
  const found = new Set<string>();
  const look = (attributes: Attributes) => {
    if (attributes[keyword] !== undefined) found.add(textOf(attributes[keyword]));
  };
  look(document.Patient.DICOM);
  look(document.Study.DICOM);
  for (const series of Object.values(document.Study.Series)) {
    look(series.DICOM);
    for (const { DICOM } of Object.values(series.Instances)) look(DICOM);
  }
  return [...found].slice(0, 20);
}
