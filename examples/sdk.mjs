/**
 * Reads what was ingested with the official SDK: lists image sets, takes the metadata of the first, fetches a frame.
 * Works the same on AWS and here; run `eval "$(npx isocenter env)"` first to point it at the local world.
 */
import { gunzipSync } from 'node:zlib';
import {
  GetImageFrameCommand,
  GetImageSetMetadataCommand,
  MedicalImagingClient,
  SearchImageSetsCommand,
} from '@aws-sdk/client-medical-imaging';

const datastoreId = process.env.ISOCENTER_DATASTORE_ID;
// The runtime operations put `runtime-` before the host name, which a local address does not have.
const client = new MedicalImagingClient({ disableHostPrefix: true });

const found = await client.send(new SearchImageSetsCommand({ datastoreId, searchCriteria: {} }));
for (const set of found.imageSetsMetadataSummaries)
  console.log(
    set.imageSetId,
    set.DICOMTags.DICOMSeriesModality ?? '',
    set.DICOMTags.DICOMSeriesBodyPart ?? '',
  );

for (const { imageSetId } of found.imageSetsMetadataSummaries) {
  const { imageSetMetadataBlob } = await client.send(
    new GetImageSetMetadataCommand({ datastoreId, imageSetId }),
  );
  const metadata = JSON.parse(gunzipSync(await imageSetMetadataBlob.transformToByteArray()).toString());
  const [series] = Object.values(metadata.Study.Series);
  const [instance] = Object.values(series.Instances);
  const [frame] = instance.ImageFrames ?? [];
  if (frame === undefined) continue;
  const { imageFrameBlob, contentType } = await client.send(
    new GetImageFrameCommand({ datastoreId, imageSetId, imageFrameInformation: { imageFrameId: frame.ID } }),
  );
  const { length } = await imageFrameBlob.transformToByteArray();
  console.log(
    `first frame: ${instance.DICOM.Rows} x ${instance.DICOM.Columns}, ${length} bytes of ${contentType}`,
  );
  break;
}
