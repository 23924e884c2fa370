/**
 * Quotas and request rates of the service, then and now (reference: developer guide, "Endpoints and quotas" and
 * "Throttling limits"; 2024 from the guide of May 2024). Published quotas change: read on 2026-11-24.
 */
export interface Quotas {
  readonly datastores: number;
  readonly concurrentImportJobs: number;
  /** Each of CopyImageSet, UpdateImageSetMetadata, DeleteImageSet, in one data store. */
  readonly concurrentWrites: number;
  readonly framesPerCopy: number;
  readonly filesPerJob: number;
  readonly foldersPerJob: number;
  readonly bytesPerJob: number;
  readonly bytesPerFile: number;
  readonly metadataBytesPerImageSet: number;
  readonly updatePayloadBytes: number;
}

const GIB = 1024 ** 3;

export const QUOTAS = {
  '2024': {
    datastores: 10,
    concurrentImportJobs: 100,
    concurrentWrites: 100,
    framesPerCopy: 1_000,
    filesPerJob: 5_000,
    foldersPerJob: 10_000,
    bytesPerJob: 10 * GIB,
    bytesPerFile: 4 * GIB,
    metadataBytesPerImageSet: 50 * 1024 ** 2,
    updatePayloadBytes: 10 * 1024,
  },
  current: {
    datastores: 100,
    concurrentImportJobs: 100,
    concurrentWrites: 100,
    framesPerCopy: 1_000,
    filesPerJob: 5_000,
    foldersPerJob: 10_000,
    bytesPerJob: 10 * GIB,
    bytesPerFile: 10 * GIB,
    metadataBytesPerImageSet: 50 * 1024 ** 2,
    updatePayloadBytes: 10 * 1024,
  },
} as const satisfies Record<'2024' | 'current', Quotas>;

/** Requests a second and the burst on top of it, an account. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

const rate = (perSecond: number, burst: number): Rate => ({ perSecond, burst });

const RATES_NOW = {
  CreateDatastore: rate(0.085, 1),
  DeleteDatastore: rate(0.085, 1),
  GetDatastore: rate(10, 20),
  ListDatastores: rate(5, 10),
  StartDICOMImportJob: rate(1, 2),
  GetDICOMImportJob: rate(25, 50),
  ListDICOMImportJobs: rate(10, 20),
  SearchImageSets: rate(25, 50),
  GetImageSet: rate(25, 50),
  ListImageSetVersions: rate(25, 50),
  GetImageSetMetadata: rate(50, 100),
  GetImageFrame: rate(1_000, 2_000),
  UpdateImageSetMetadata: rate(0.25, 1),
  CopyImageSet: rate(0.25, 1),
  DeleteImageSet: rate(0.25, 1),
  TagResource: rate(10, 20),
  UntagResource: rate(10, 20),
  ListTagsForResource: rate(10, 20),
  GetDICOMInstance: rate(50, 100),
  GetDICOMInstanceMetadata: rate(50, 100),
  GetDICOMInstanceFrames: rate(50, 100),
  GetDICOMSeriesMetadata: rate(50, 100),
} as const satisfies Record<string, Rate>;

export const RATES: Readonly<Record<'2024' | 'current', Readonly<Record<string, Rate>>>> = {
  '2024': { ...RATES_NOW, StartDICOMImportJob: rate(0.25, 1) },
  current: RATES_NOW,
};
