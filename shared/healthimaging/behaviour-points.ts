/**
 * What the local server does where the service's behaviour is a question: documented (guide or API model), observed
 * (recorded from the service or its clients by others), or chosen by us. docs/behaviour.md is rendered from this.
 */
export type Basis = 'documented' | 'observed' | 'chosen';

export interface BehaviourPoint {
  readonly area: string;
  readonly point: string;
  readonly basis: Basis;
  /** Where it is documented or who saw it; for a choice, why. */
  readonly because: string;
  /** `suite: title` of the test that shows it; suites are in test/local/healthimaging unless they name their folder. */
  readonly test: string;
}

const at =
  (area: string) =>
  (basis: Basis, point: string, because: string, test: string): BehaviourPoint => ({
    area,
    basis,
    point,
    because,
    test,
  });

const wire = at('Requests and replies');
const store = at('Data stores');
const job = at('Import jobs');
const group = at('Grouping');
const pixels = at('Frames');
const version = at('Versions and writes');
const update = at('UpdateImageSetMetadata');
const copy = at('CopyImageSet');
const search = at('SearchImageSets');
const dicom = at('GetDICOMInstance');
const access = at('Access, rates, events');

export const BEHAVIOUR_POINTS: readonly BehaviourPoint[] = [
  wire(
    'documented',
    'Timestamps are epoch seconds as JSON numbers, blobs base64, payload members the whole body',
    'API model, rest-json',
    'behaviours: times are epoch seconds as numbers',
  ),
  wire(
    'observed',
    'Errors carry `x-amzn-errortype`, a JSON body with `message`, and `x-amzn-requestid`',
    'JavaScript client 3.958',
    'contract: plain HTTP: %s at and beside the bounds',
  ),
  wire(
    'documented',
    'Quotas answer 402, throttles 429',
    'API model; the generic page of common errors says otherwise',
    'access: quotas answer 402',
  ),
  wire(
    'chosen',
    'Malformed JSON, a wrong type, a bad label: ValidationException that names every member, no values repeated',
    'the one declared candidate; patients stay out of messages',
    'hostile: JSON of a hundred thousand levels is refused at once',
  ),
  wire(
    'chosen',
    'An unknown path or method: 404 UnknownOperationException; a body over 2 MiB: 413',
    'guide, common errors',
    'hostile: a body of ten megabytes is refused',
  ),
  wire(
    'chosen',
    'A page holds 50 items when `maxResults` is absent; tokens are signed and work for their own request only',
    'the model gives the bounds, no default',
    'behaviours: a page holds 50 items when maxResults is absent',
  ),
  wire(
    'chosen',
    'The same `clientToken` with other parameters is a ConflictException; tokens never expire',
    'window and mismatch are not documented',
    'datastores: the same client token gives the same data store',
  ),
  store(
    'documented',
    'CREATING, then ACTIVE; DELETING, then DELETED; deletion is refused while image sets are left',
    'guide, data stores',
    'time: a data store stays CREATING and DELETING for its delay',
  ),
  store(
    'chosen',
    'The refusal is a ConflictException; a running import job refuses too; GetDatastore shows DELETED ones for ever',
    'error and visibility are not documented',
    'behaviours: a running import job keeps its data store from being deleted',
  ),
  store(
    'chosen',
    'A store without a name is called by its id',
    'the model requires a name in replies only',
    'behaviours: a store without a name is called by its id',
  ),
  store(
    'documented',
    '`losslessStorageFormat` JPEG_2000_LOSSLESS: transcoded frames are 1.2.840.10008.1.2.4.90; it never changes',
    'guide, creating a data store',
    'dicom-instance: keeps frames that opj_decompress reads',
  ),
  job(
    'documented',
    'SUBMITTED, IN_PROGRESS, COMPLETED or FAILED; COMPLETED says nothing about single files',
    'guide, import jobs',
    'time: a job is SUBMITTED, then IN_PROGRESS, then COMPLETED',
  ),
  job(
    'observed',
    '`outputS3Uri` of GetDICOMImportJob is the expanded folder, ending in a slash',
    'public test fixtures',
    'scenarios: the same client token starts one job',
  ),
  job(
    'observed',
    'Items of the manifest carry `imageSetVersion` and `isPrimary` today, neither in 2024',
    'public test fixtures; guide of 2024',
    'grouping: every job makes new image sets, also for the same instance',
  ),
  job(
    'chosen',
    'SUCCESS and FAILURE files are written even when empty, WARNING only when it has lines; the manifest last',
    'clients that read all three find them',
    'behaviours: SUCCESS and FAILURE files are there even when empty',
  ),
  job(
    'chosen',
    'Empty objects whose key ends in a slash are no files; an empty prefix completes with zero files',
    'consoles make such objects',
    'behaviours: an empty prefix completes with no files',
  ),
  job(
    'observed',
    '`DICOM attribute {Keyword} does not exist`, `DICOM attributes does not exist`',
    'guide; a public client',
    'import: files that are no DICOM are failures with the words of the service',
  ),
  job(
    'chosen',
    'Other failure messages, and job codes but FILE_COUNTS_LIMIT…',
    'no catalogue is published',
    'behaviours: too many %s fail the job',
  ),
  job(
    'documented',
    'Today values beyond the standard but within the limits come in with a warning, beyond the limits they fail',
    'guide, warning codes and element constraints',
    'behaviours: today a value beyond the standard comes in with a warning',
  ),
  job(
    'chosen',
    'StudyInstanceUID is asked for in 2024 too',
    'the guide gives a minimum length of 0; a set without a study cannot be found',
    'behaviours: StudyInstanceUID is asked for in %s',
  ),
  job(
    'chosen',
    '`importConfiguration`: what the JSON says wins, but for UIDs and the image pixel module; an entry with a SOP Instance UID is for that instance; the files are no input',
    'the model names the mappings only',
    'enrichment: a study-wide file changes and adds attributes',
  ),
  group(
    'chosen',
    'Today, of two variants of a series in one job the one with more instances is placed first and becomes primary; equal ones in key order',
    'the guide does not say which wins; names of files should not decide',
    'grouping: two variants in one job: the larger is primary',
  ),
  group(
    'documented',
    '2024: every job makes new sets; any difference in a normalised attribute splits',
    'guide of 2024',
    'grouping: any difference in a normalised attribute splits the series',
  ),
  group(
    'chosen',
    '2024: a SOP Instance UID that comes twice in one group goes to a further set; `splitInstances` splits a series as the service did for throughput',
    'a set names an instance once; the guide gives no number for the split',
    'behaviours: 2024: a series is split for throughput when the option says so',
  ),
  group(
    'documented',
    'Today: StudyDate, AccessionNumber, PatientID, StudyInstanceUID, StudyID; SeriesInstanceUID, SeriesNumber decide; no conflict joins the primary, version + 1; a re-sent instance overwrites',
    'guide, understanding image sets',
    'grouping: a re-sent SOP Instance UID overwrites the stored instance',
  ),
  group(
    'chosen',
    'Today: study elements are compared with all primaries of the study',
    'not stated',
    'grouping: another series of the study with another study date is not primary',
  ),
  group(
    'chosen',
    'Today: a join leaves Patient, Study and Series of the primary as they are; its status is UPDATED',
    'not stated',
    'behaviours: a join leaves Patient, Study and Series',
  ),
  group(
    'chosen',
    'An import that joins a LOCKED primary waits for it',
    'not stated',
    'behaviours: an import that joins a LOCKED primary waits for it',
  ),
  group(
    'chosen',
    'NumberOfStudyRelatedSeries and -Instances of searches count what the image set holds',
    'not stated',
    'behaviours: a join leaves Patient, Study and Series',
  ),
  pixels(
    'documented',
    'HTJ2K Lossless RPCL with TLM, decoded again and compared; kept syntaxes by year',
    'guide, supported transfer syntaxes',
    'pixels/htj2k-round-trip: HTJ2K encoding, judged by OpenJPEG',
  ),
  pixels(
    'documented',
    'Checksums: CRC-32 of the decoded frame, every level in 2024, the full one today; of the encoded bytes where kept',
    'guide, pixel data verification',
    'grouping: checksums are listed for each resolution level',
  ),
  pixels(
    'observed',
    '`FrameSizeInBytes` is the decoded size in 2024, the encoded one today',
    'documents of 2023 and 2025',
    'grouping: checksums are listed for each resolution level',
  ),
  pixels(
    'chosen',
    'Frames of 1.2.840.10008.1.2.4.90 have the type image/j2c',
    'the list of the guide leaves them out',
    'dicom-instance: keeps frames that opj_decompress reads',
  ),
  pixels(
    'chosen',
    '`ChecksumType` of kept frames is COMPRESSED',
    'only DECOMPRESSED has been seen',
    'behaviours: bits of a segmentation are kept',
  ),
  pixels(
    'chosen',
    'Pixels that cannot be decoded or told apart fail the file in 2024; today the object is kept whole with the warning B100, B110 or B111',
    'guide, warning codes',
    'behaviours: pixels that cannot be decoded: kept whole',
  ),
  pixels(
    'chosen',
    'Native pixels of one bit are kept in 1.2.840.10008.1.2.1 whatever the byte order was',
    'the guide names binary segmentations in that syntax',
    'behaviours: bits of a segmentation are kept',
  ),
  pixels(
    'chosen',
    'Instances without pixels have `ImageFrames: []` and neither StoredTransferSyntaxUID nor ChecksumType',
    'not stated',
    'behaviours: an instance without pixels has no frames',
  ),
  version(
    'documented',
    'LOCKED while writing, a new version each time, old ones readable; failures keep their version and a message',
    'guide, image sets',
    'update: an update gives a new version, LOCKED at first',
  ),
  version(
    'chosen',
    'A stale `latestVersionId`, a LOCKED or deleted set: ConflictException',
    'the declared candidate',
    'update: a stale latestVersionId is a conflict',
  ),
  version(
    'chosen',
    'A deleted set stays visible to GetImageSet and ListImageSetVersions as DELETED; metadata, frames and tags are gone',
    'not stated',
    'copy: a deleted image set is LOCKED, then DELETED',
  ),
  version(
    'chosen',
    'Frames of removed instances stay readable, as versions keep them',
    'guide: they are still billed',
    'update: an instance is removed; its frames stay readable',
  ),
  update(
    'documented',
    'The nine rules; `force` lifts 3 to 7 and private attributes at instance level; UIDs of primaries never change',
    'guide, metadata constraints',
    'update: the rules of the guide, without force',
  ),
  update(
    'chosen',
    'What the payload alone breaks is a ValidationException; what the stored metadata say against it is UPDATE_FAILED',
    'the split is not documented',
    'update: 9: what is addressed has to exist',
  ),
  update(
    'chosen',
    'Rules 4 to 6 are for values, so not for removals; elements of group 0002 never change; the last instance stays',
    'not stated',
    'behaviours: the last instance of an image set is not removed',
  ),
  update(
    'chosen',
    'A payload over 10 KB is a ServiceQuotaExceededException',
    'guide: quota; model: 30,000 bytes',
    'update: a payload over 10 KB exceeds the quota',
  ),
  update(
    'chosen',
    '`includeStudyImageSets` needs a primary set; the others go through UPDATING_FOR_STUDY_CONSISTENCY; all change in one batch',
    'the model names the status only',
    'update: includeStudyImageSets changes the study in all its primary image sets',
  ),
  update(
    'chosen',
    '`force`, reverts and subsets work in 2024 too; `includeStudyImageSets` and `promoteToPrimary` do not',
    'they came in July 2024, and later',
    'behaviours: in 2024 force and reverts work',
  ),
  copy(
    'documented',
    'The source keeps its version, read-only meanwhile; levels must be equal unless forced; instances must be unique',
    'guide, copying image sets',
    'copy: a copy into an existing set needs equal levels',
  ),
  copy(
    'observed',
    "`INVALID_REQUEST: Series of SourceImageSet and DestinationImageSet don't match.`",
    'guide of 2024',
    'copy: a copy into an existing set needs equal levels',
  ),
  copy(
    'chosen',
    'A new destination is version 1 and found by searches when the copy is done; a failed one stays, without metadata',
    'the guide shows both 1 and 2',
    'copy: a copy without destination is a new image set',
  ),
  copy(
    'chosen',
    'Frame ids are the same in the copy; an empty Instances object of a subset means the whole series',
    'not stated',
    'copy: a subset copies the named instances only',
  ),
  copy(
    'chosen',
    '`promoteToPrimary` fails while the series has another primary, or the grouping elements conflict',
    'not stated',
    'copy: an updated non-primary set is promoted under a new id',
  ),
  copy(
    'chosen',
    'The status of the source goes back to what it was',
    'not established',
    'behaviours: the source of a copy goes back to the status it had',
  ),
  search(
    'documented',
    'One or two filters, both hold; BETWEEN takes lower and upper, both included; the default order is updatedAt DESC',
    'guide, searching',
    'search: two filters hold both',
  ),
  search(
    'chosen',
    'Values are compared exactly, case counts; BETWEEN works on text too; isPrimary takes EQUAL only',
    'not stated',
    'search: BETWEEN takes both bounds in',
  ),
  search(
    'observed',
    'EQUAL with a study date alone means the whole day',
    'public clients use it so',
    'search: BETWEEN takes both bounds in',
  ),
  search(
    'chosen',
    'Pages of one search read one snapshot, for as long as the server keeps it (32 searches)',
    'paging stays stable while sets change',
    'search: do not move when a set is updated in between',
  ),
  dicom(
    'documented',
    'Explicit little endian by default, `*` the stored form, what cannot be given 406',
    'guide, DICOMweb',
    'shared-material: imported files of every folder come back with their pixels',
  ),
  dicom(
    'chosen',
    'The object is written from the present metadata, in UTF-8; an object kept whole comes as it was imported',
    'the service does not publish how',
    'dicom-instance: an updated attribute is in the instance',
  ),
  dicom(
    'documented',
    'An instance stored as HTJ2K lossless comes as 1.2.840.10008.1.2.4.90 on request',
    'guide, DICOMweb instance frames',
    'dicom-instance: what is stored lossless comes as JPEG 2000 Lossless',
  ),
  dicom(
    'chosen',
    'Colour that we encoded with the reversible transform is called YBR_RCT in an encapsulated form',
    'PS3.5 8.2.4; the metadata document keeps what came in',
    'dicom-instance: colour in an encapsulated form is called YBR_RCT',
  ),
  dicom(
    'chosen',
    'Decoded pixel data beyond 4 GiB, or frames beyond our codecs: 406; `*` gives the stored form',
    'a native value has a 32-bit length',
    'behaviours: pixels that cannot be decoded: kept whole',
  ),
  dicom(
    'chosen',
    'In 2024, without `imageSetId`, the latest set of the series that has the instance is taken',
    'there were no primaries',
    'dicom-instance: in 2024 the latest image set of the series is taken',
  ),
  access(
    'documented',
    'ABAC: data store and image set both carry the tag; searches look at the data store only',
    'guide, ABAC',
    'conditions: an image set has to carry the tag of its data store',
  ),
  access(
    'chosen',
    'Import roles are not assumed: the server reads and writes S3 with its own credentials',
    'there is no IAM here',
    'import: a series becomes one primary image set',
  ),
  access(
    'chosen',
    'Events carry both `imagesetId` and `imageSetId`',
    'guide and event schema differ',
    'scenarios: a job tells its life by events',
  ),
  access(
    'documented',
    'Rates and quotas of either year',
    'guide, endpoints and quotas, throttling limits',
    'time: %s: the burst, then its rate',
  ),
  job(
    'documented',
    '`inputOwnerAccountId` has to own the input bucket',
    'guide, cross-account import',
    'behaviours: inputOwnerAccountId is held against the owner',
  ),
  job(
    'documented',
    'Jobs are listed for 90 days; by their id they still answer',
    'guide, import jobs',
    'time: jobs are listed for 90 days',
  ),
  job(
    'chosen',
    'Output that is late by option is written after the next start too; a job whose output cannot be written is FAILED',
    'a job is told by its output',
    'job-output: a manifest that a stopped server still owed',
  ),
  version(
    'documented',
    'Untouched for 30 days an image set is in ARCHIVE_INSTANT_ACCESS; metadata, frames, DICOMweb, copies and updates touch it, the rest does not',
    'guide, cost optimization',
    'time: touches: the set is in FREQUENT_ACCESS again',
  ),
  access(
    'documented',
    'Condition keys StudyInstanceUID and SeriesInstanceUID (`studyInstanceUIDs`, `seriesInstanceUIDs` of an identity, with `*` and `?`) bind GetDICOMInstance',
    'guide, identity-based policies; March 2026',
    'conditions: GetDICOMInstance as %s, by the condition keys',
  ),
  access(
    'documented',
    "Metrics have CloudWatch's names and StorageTier dimension; an image set under 5 MB is small",
    'guide, monitoring with CloudWatch',
    'time: metrics tell the bytes of each tier',
  ),
  access(
    'chosen',
    'StructuredStorageBytes is 1,024 a study, 830 a series, 680 an instance',
    'sizes of the guide on costs; the metric itself is not explained',
    'time: metrics tell the bytes of each tier',
  ),
  access(
    'chosen',
    '`/health` and `/metrics` are never signed; with credentials on, metrics answer this machine only',
    'they are not of the service; monitors do not sign',
    'conditions: health and metrics need no signature',
  ),
];
