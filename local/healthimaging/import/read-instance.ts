/** One object of the input, read, checked and stored: a staged instance, or an ImportFailure with the service's words. */
import { DicomError } from '../../../shared/dicom/dicom-error.ts';
import { toMetadata } from '../../../shared/dicom/metadata.ts';
import { type P10, readP10, text } from '../../../shared/dicom/p10.ts';
import type { DicomJson, InstanceDocument } from '../metadata/document.ts';
import { checkElements } from './check-elements.ts';
import type { ImportContext } from './context.ts';
import { ImportFailure, missingAttribute, NO_ATTRIBUTES } from './failures.ts';
import { type InputObject, parseS3Uri } from './s3-bucket.ts';
import type { StagedInstance } from './staged.ts';
import { type StoredFrames, storeFrames } from './store-frames.ts';
import { unusualVrs } from './unusual-vrs.ts';

/** Throws ImportFailure; anything else is a fault of ours or of the store. */
export async function readInstance(context: ImportContext, object: InputObject): Promise<StagedInstance> {
  const { service, job, buckets } = context;
  if (object.sizeBytes > service.quotas.bytesPerFile) {
    throw new ImportFailure(`The file exceeds the maximum size of ${service.quotas.bytesPerFile} bytes`);
  }
  const { bucket } = parseS3Uri(job.inputS3Uri);
  const source = buckets.source(bucket, object, job.inputOwnerAccountId);
  const p10 = await read(() => readP10(source));
  const warnings = checkElements(p10, service.behaviour);
  const metadata = await read(async () => toMetadata(p10));
  const frames = await storeFrames(context, p10, { key: object.key, source });
  return {
    key: object.key,
    studyInstanceUID: uidOf(p10, 'StudyInstanceUID'),
    seriesInstanceUID: uidOf(p10, 'SeriesInstanceUID'),
    sopInstanceUID: uidOf(p10, 'SOPInstanceUID'),
    patient: metadata.Patient as DicomJson,
    study: metadata.Study as DicomJson,
    series: metadata.Series as DicomJson,
    instance: {
      DICOM: metadata.Instance as DicomJson,
      DICOMVRs: metadata.DICOMVRs,
      // Documents of 2023 and early 2024 do not have these two.
      ...(service.behaviour === 'current' &&
        frames.storedTransferSyntaxUID && { StoredTransferSyntaxUID: frames.storedTransferSyntaxUID }),
      ...(service.behaviour === 'current' && frames.checksumType && { ChecksumType: frames.checksumType }),
      ImageFrames: frames.imageFrames,
    } satisfies InstanceDocument,
    frames: frames.records,
    ...(frames.wholeObject && { wholeObject: frames.wholeObject }),
    storedBytes: storedBytesOf(frames),
    vrs: unusualVrs(p10.dataset),
    warnings: [...warnings, ...frames.warnings],
  };
}

const storedBytesOf = ({ records, wholeBytes = 0 }: StoredFrames): number =>
  Object.values(records).reduce((sum, { sizeBytes }) => sum + sizeBytes, wholeBytes);

/** Present and well formed: `checkElements` saw to it. */
function uidOf(p10: P10, keyword: string): string {
  return text(p10, keyword)?.trim() ?? '';
}

/** Reading errors in the service's words: a named attribute where there is one, else that there are none. */
async function read<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof DicomError)) throw error;
    throw new ImportFailure(toMessage(error), 'customer', { cause: error });
  }
}

function toMessage(error: DicomError): string {
  switch (error.code) {
    case 'NoTransferSyntax':
      return missingAttribute('TransferSyntaxUID');
    case 'MissingElement':
      return missingAttribute(error.where);
    case 'MetadataTooLarge':
      return 'The DICOM metadata exceeds the maximum size';
    case 'FileTooLarge':
      return 'The file exceeds the maximum size';
    default:
      return NO_ATTRIBUTES;
  }
}
