/**
 * GetDICOMInstance (WADO-RS instance): a P10 object made of the present metadata and the stored frames, in Explicit VR
 * Little Endian unless another form is asked for: `*` is the stored one, anything that is neither is 406.
 */
import { ServiceError } from '../errors.ts';
import type { Reply } from '../output.ts';
import type { Service } from '../service.ts';
import { keyOf } from '../store/keys.ts';
import { type AcceptedType, parseAccept } from './accept.ts';
import type { DicomwebInput } from './endpoints.ts';
import { findInstance, type InstanceUIDs } from './find-instance.ts';
import { frameRecords } from './stored-frames.ts';
import { EXPLICIT_LITTLE_ENDIAN, JPEG_2000_LOSSLESS, writeInstance } from './write-instance.ts';

/** Throws ResourceNotFoundException, NotAcceptableException. */
export async function getDicomInstance(
  service: Service,
  input: DicomwebInput & InstanceUIDs,
): Promise<Reply> {
  const found = await findInstance(service, input);
  const whole = await service.store.database.get<string>(
    keyOf('whole', input.datastoreId, found.set.imageSetId, input.sopInstanceUID),
  );
  const records = await frameRecords(service, found);
  const stored = records[0]?.transferSyntaxUID ?? found.instance.StoredTransferSyntaxUID;
  const form = chooseForm(parseAccept(input.accept), stored, whole !== undefined);
  if (!form) {
    throw new ServiceError(
      'NotAcceptableException',
      'The instance cannot be given in an accepted transfer syntax; transfer-syntax=* gives the stored form',
    );
  }
  service.access.touch(found.set);
  const headers = { 'content-type': `application/dicom; transfer-syntax=${form}` };
  const body =
    whole === undefined
      ? await writeInstance(service, found, records, form)
      : { sizeBytes: await service.store.blobs.sizeOf(whole), chunks: service.store.blobs.stream(whole) };
  return { statusCode: 200, headers, body };
}

/**
 * The transfer syntax to answer with: the first accepted one that we can give. `stored` is undefined for an instance
 * without pixels, which is in Explicit VR Little Endian.
 */
function chooseForm(
  accepted: readonly AcceptedType[],
  stored: string = EXPLICIT_LITTLE_ENDIAN,
  isWhole: boolean,
): string | undefined {
  for (const { mediaType, transferSyntax } of accepted) {
    if (!['application/dicom', 'application/*', '*/*'].includes(mediaType)) continue;
    const wanted = transferSyntax ?? EXPLICIT_LITTLE_ENDIAN;
    if (wanted === '*' || wanted === stored) return stored;
    if (isWhole) continue;
    if (wanted === EXPLICIT_LITTLE_ENDIAN && isDecodable(stored)) return wanted;
    if (wanted === JPEG_2000_LOSSLESS && HTJ2K_LOSSLESS.includes(stored)) return wanted;
  }
  return undefined;
}

/** What is stored lossless by us can be had as JPEG 2000 Lossless (guide, "Retrieving DICOM instances"). */
const HTJ2K_LOSSLESS = ['1.2.840.10008.1.2.4.201', '1.2.840.10008.1.2.4.202'];

/** Frames kept as video or in a syntax that we cannot decode come in their stored form only. */
function isDecodable(transferSyntaxUID: string): boolean {
  return /^1\.2\.840\.10008\.1\.2(\.1|\.5|\.4\.(5[017]|70|8[01]|9[01]|20[123]))?$/.test(transferSyntaxUID);
}
