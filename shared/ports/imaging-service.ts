/** What the pipeline needs of AWS HealthImaging, in our words: import jobs, and reading what is stored. */

export type JobStatus = 'SUBMITTED' | 'IN_PROGRESS' | 'COMPLETED' | 'FAILED';

export interface ImageSet {
  readonly imageSetId: string;
  readonly versionId: string;
  readonly state: 'ACTIVE' | 'LOCKED' | 'DELETED';
  readonly workflowStatus: string;
  readonly isPrimary: boolean;
  /** ISO 8601, UTC; empty where the service does not say. */
  readonly createdAt: string;
  readonly arn: string;
  readonly message?: string;
}

export interface ImageSetSummary {
  readonly imageSetId: string;
  readonly studyInstanceUID: string;
  readonly seriesInstanceUID: string;
}

/** One frame as the metadata document lists it. */
export interface FrameEntry {
  readonly ID: string;
  readonly PixelDataChecksumFromBaseToFullResolution?: readonly {
    readonly Width: number;
    readonly Height: number;
    readonly Checksum: number;
  }[];
  readonly MinPixelValue?: number | null;
  readonly MaxPixelValue?: number | null;
  readonly FrameSizeInBytes?: number;
}

export type DicomJson = Readonly<Record<string, unknown>>;

export interface InstanceEntry {
  readonly DICOM: DicomJson;
  readonly DICOMVRs?: Readonly<Record<string, string>>;
  readonly StoredTransferSyntaxUID?: string | null;
  readonly ChecksumType?: string | null;
  readonly ImageFrames?: readonly FrameEntry[] | null;
}

/** The metadata document of an image set (GetImageSetMetadata, SchemaVersion 1.1), gunzipped and parsed. */
export interface ImageSetMetadata {
  readonly DatastoreID?: string;
  readonly ImageSetID?: string;
  readonly Patient: { readonly DICOM: DicomJson };
  readonly Study: {
    readonly DICOM: DicomJson;
    readonly Series: Readonly<
      Record<
        string,
        { readonly DICOM: DicomJson; readonly Instances: Readonly<Record<string, InstanceEntry>> }
      >
    >;
  };
}

/** HealthImaging asked us to slow down (429), or a quota of running jobs is full (402). Worth repeating. */
export class Throttled extends Error {
  override readonly name = 'Throttled';
}
/** The service did not answer, or with a 5xx. Worth repeating. */
export class ServiceUnavailable extends Error {
  override readonly name = 'ServiceUnavailable';
}
/** 409 "metadata is not consistent yet", just after an import, or an image set that another write holds. Worth repeating. */
export class NotConsistentYet extends Error {
  override readonly name = 'NotConsistentYet';
}
/** There is no such image set, frame or job (404), or it was deleted. */
export class NotInDataStore extends Error {
  override readonly name = 'NotInDataStore';
}

/** The service finds the request itself wrong (400); repeating it does not help. */
export class RefusedByService extends Error {
  override readonly name = 'RefusedByService';
}

export interface ImagingService {
  /** Starts an import job; equal `clientToken`s give the same job. */
  startImportJob(request: {
    readonly inputS3Uri: string;
    readonly outputS3Uri: string;
    readonly clientToken: string;
    readonly jobName: string;
  }): Promise<{ readonly jobId: string }>;
  /** `outputS3Uri` is the job's own folder, ending with `/`. */
  importJob(jobId: string): Promise<{
    readonly jobStatus: JobStatus;
    readonly outputS3Uri: string;
    /** ISO 8601, UTC. */
    readonly submittedAt?: string;
    readonly message?: string;
  }>;
  /** Image sets of a study or a series, deleted ones absent. */
  searchImageSets(
    by: { readonly studyInstanceUID: string } | { readonly seriesInstanceUID: string },
  ): AsyncIterable<ImageSetSummary>;
  /** The image set (its latest version), or undefined where there is none or it was deleted. */
  imageSet(imageSetId: string): Promise<ImageSet | undefined>;
  metadata(imageSetId: string, versionId?: string): Promise<ImageSetMetadata>;
  /** The stored encoding of one frame. */
  frame(imageSetId: string, imageFrameId: string): Promise<Uint8Array>;
  tag(arn: string, tags: Readonly<Record<string, string>>): Promise<void>;
}

export interface ListedImageSet extends ImageSetSummary {
  readonly versionId: string;
  /** ISO 8601, UTC; empty where the service does not say. */
  readonly createdAt: string;
}

/** Walking a data store. */
export interface ImageSetLister {
  /**
   * All image sets, or those of a study and a series, or those created at `createdFrom` (ISO 8601) and later; oldest
   * first, so that a walk is steady while others write.
   */
  listImageSets(by?: {
    readonly studyInstanceUID?: string;
    readonly seriesInstanceUID?: string;
    readonly createdFrom?: string;
  }): AsyncIterable<ListedImageSet>;
}

/** Changes of an image set's metadata, by level and keyword; `remove` takes elements away. */
export interface MetadataEdits {
  readonly set: Readonly<Record<'Patient' | 'Study' | 'Series', DicomJson>>;
  readonly remove: Readonly<Record<'Patient' | 'Study' | 'Series', readonly string[]>>;
}

/** An image set at the version that the caller has seen; another one is NotConsistentYet. */
export interface ImageSetVersion {
  readonly imageSetId: string;
  readonly versionId: string;
}

/** Writing to image sets. All are asynchronous in the service: the set is LOCKED until they are done. */
export interface ImageSetEditor {
  /** Never with `force`. `studyWide`, a person's decision only: all primaries of the study get the same patient. */
  update(
    imageSet: ImageSetVersion,
    seriesInstanceUID: string,
    edits: MetadataEdits,
    options?: { readonly studyWide: boolean },
  ): Promise<void>;
  /** A new version without these instances. A person's decision only. */
  removeInstances(
    imageSet: ImageSetVersion,
    seriesInstanceUID: string,
    sopInstanceUIDs: readonly string[],
  ): Promise<void>;
  /** Copies these instances into the destination. `force`, a person's decision only: the destination's levels stand. */
  copy(
    source: ImageSetVersion,
    destination: ImageSetVersion,
    seriesInstanceUID: string,
    sopInstanceUIDs: readonly string[],
    options?: { readonly force: boolean },
  ): Promise<void>;
  /** Copies these instances into a new image set, which becomes the series' primary. Today's service only. */
  promote(
    source: ImageSetVersion,
    seriesInstanceUID: string,
    sopInstanceUIDs: readonly string[],
  ): Promise<{ readonly imageSetId: string }>;
  /** A new version equal to an older one. */
  revert(imageSet: ImageSetVersion, toVersionId: string): Promise<void>;
  delete(imageSetId: string): Promise<void>;
}
