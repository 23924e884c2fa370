import type { MedicalImagingClient } from '@aws-sdk/client-medical-imaging';
import type { S3Client } from '@aws-sdk/client-s3';
import type { SFNClient } from '@aws-sdk/client-sfn';

export interface RunningWorld {
  readonly world: {
    readonly healthImagingUrl: string;
    readonly s3Url: string;
    readonly stepFunctionsUrl: string;
    readonly region: string;
    readonly datastoreId: string;
    readonly inboxBucket: string;
    readonly workBucket: string;
    readonly stateMachineArns: Readonly<Record<string, string>>;
    readonly pid: number;
  };
  log(): string;
  kill(): Promise<void>;
  stop(): Promise<void>;
}
export interface StoredInstance {
  readonly DICOM: Readonly<Record<string, unknown>>;
  readonly StoredTransferSyntaxUID?: string;
  readonly ImageFrames?: readonly { readonly ID: string }[];
}
export interface StoredImageSet {
  readonly imageSetId: string;
  readonly version: number;
  readonly metadata: {
    readonly Patient: { readonly DICOM: Readonly<Record<string, unknown>> };
    readonly Study: {
      readonly Series: Readonly<
        Record<string, { readonly Instances: Readonly<Record<string, StoredInstance>> }>
      >;
    };
  };
}
export function startWorldProcess(dataDir: string, args?: string[]): Promise<RunningWorld>;
export function clientsOf(world: RunningWorld['world']): {
  s3: S3Client;
  sfn: SFNClient;
  imaging: MedicalImagingClient;
};
export function listKeys(s3: S3Client, bucket: string, prefix?: string): Promise<string[]>;
export function readText(s3: S3Client, bucket: string, key: string): Promise<string>;
export function readNdjson(s3: S3Client, bucket: string, key: string): Promise<unknown[]>;
export function storedImageSets(
  imaging: MedicalImagingClient,
  datastoreId: string,
): Promise<StoredImageSet[]>;
export function instancesOf(sets: readonly StoredImageSet[]): Map<string, string[]>;
