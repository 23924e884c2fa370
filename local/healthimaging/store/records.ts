/** What the database keeps of each resource. Times are milliseconds since 1970; replies turn them to seconds. */
import type { Fault } from '../access/faults.ts';

export interface DatastoreRecord {
  readonly datastoreId: string;
  readonly datastoreName: string;
  readonly datastoreStatus: 'CREATING' | 'CREATE_FAILED' | 'ACTIVE' | 'DELETING' | 'DELETED';
  readonly datastoreArn: string;
  readonly kmsKeyArn?: string;
  readonly lambdaAuthorizerArn?: string;
  readonly losslessStorageFormat?: 'HTJ2K' | 'JPEG_2000_LOSSLESS';
  readonly createdAt: number;
  readonly updatedAt: number;
}

export type ImageSetState = 'ACTIVE' | 'LOCKED' | 'DELETED';
export type WorkflowStatus =
  | 'CREATED'
  | 'COPIED'
  | 'COPYING'
  | 'COPYING_WITH_READ_ONLY_ACCESS'
  | 'COPY_FAILED'
  | 'UPDATING'
  | 'UPDATING_FOR_STUDY_CONSISTENCY'
  | 'UPDATED'
  | 'UPDATE_FAILED'
  | 'DELETING'
  | 'DELETED';

/** The image set itself; what changes with each version is in VersionRecord. */
export interface ImageSetRecord {
  readonly datastoreId: string;
  readonly imageSetId: string;
  readonly latestVersion: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly isPrimary: boolean;
  /** A copy's new image set, until the copy is done: not found by searches. */
  readonly isHidden?: boolean;
  readonly tags: DicomTags;
  /** Bytes of the frames and whole objects that its versions name. */
  readonly storedBytes?: number;
}

export interface VersionRecord {
  readonly version: number;
  readonly imageSetState: ImageSetState;
  readonly imageSetWorkflowStatus: WorkflowStatus;
  readonly createdAt: number;
  readonly updatedAt?: number;
  readonly deletedAt?: number;
  readonly message?: string;
  readonly forced?: boolean;
  readonly isPrimary: boolean;
  /** SHA-256 of the gzip metadata document among the blobs; absent while a copy fills a new image set. */
  readonly document?: string;
}

/** The searchable attributes of an image set, under the API's names. */
export interface DicomTags {
  readonly DICOMPatientId?: string;
  readonly DICOMPatientName?: string;
  readonly DICOMPatientBirthDate?: string;
  readonly DICOMPatientSex?: string;
  readonly DICOMStudyInstanceUID?: string;
  readonly DICOMStudyId?: string;
  readonly DICOMStudyDescription?: string;
  readonly DICOMNumberOfStudyRelatedSeries?: number;
  readonly DICOMNumberOfStudyRelatedInstances?: number;
  readonly DICOMAccessionNumber?: string;
  readonly DICOMSeriesInstanceUID?: string;
  readonly DICOMSeriesModality?: string;
  readonly DICOMSeriesBodyPart?: string;
  readonly DICOMSeriesNumber?: number;
  readonly DICOMStudyDate?: string;
  readonly DICOMStudyTime?: string;
}

/** One stored frame, found by image set and frame id. */
export interface FrameRecord {
  readonly blob: string;
  readonly sizeBytes: number;
  readonly transferSyntaxUID: string;
}

export interface JobRecord {
  readonly jobId: string;
  readonly jobName: string;
  readonly jobStatus: 'SUBMITTED' | 'IN_PROGRESS' | 'COMPLETED' | 'FAILED';
  readonly datastoreId: string;
  readonly dataAccessRoleArn: string;
  readonly submittedAt: number;
  readonly endedAt?: number;
  readonly inputS3Uri: string;
  /** The expanded folder of this job's output, ending in a slash. */
  readonly outputS3Uri: string;
  readonly inputOwnerAccountId?: string;
  readonly importConfiguration?: ImportConfiguration;
  readonly message?: string;
  /** What shall go wrong with this job, for tests of clients. */
  readonly faults?: readonly Fault[];
}

export interface ImportConfiguration {
  readonly dicomJsonMetadataImportConfiguration?: {
    readonly dicomMetadataMappings: readonly {
      readonly studyInstanceUID: string;
      readonly seriesInstanceUID?: string;
      readonly metadataFilePath: string;
    }[];
  };
}
