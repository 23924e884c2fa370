/**
 * The table of operations: the model's name to the function that answers it. A line here is all that an operation
 * needs beyond its file; an operation of the model without a line is answered as unknown.
 */
import type { CallContext } from './endpoints.ts';
import { copyImageSet } from './operations/copy-image-set.ts';
import { createDatastore } from './operations/create-datastore.ts';
import { deleteDatastore } from './operations/delete-datastore.ts';
import { deleteImageSet } from './operations/delete-image-set.ts';
import { getDatastore } from './operations/get-datastore.ts';
import { getDicomImportJob } from './operations/get-dicom-import-job.ts';
import { getImageFrame } from './operations/get-image-frame.ts';
import { getImageSet } from './operations/get-image-set.ts';
import { getImageSetMetadata } from './operations/get-image-set-metadata.ts';
import { listDatastores } from './operations/list-datastores.ts';
import { listDicomImportJobs } from './operations/list-dicom-import-jobs.ts';
import { listImageSetVersions } from './operations/list-image-set-versions.ts';
import { searchImageSets } from './operations/search-image-sets.ts';
import { startDicomImportJob } from './operations/start-dicom-import-job.ts';
import { listTagsForResource, tagResource, untagResource } from './operations/tags.ts';
import { updateImageSetMetadata } from './operations/update-image-set-metadata.ts';
import type { Service } from './service.ts';

/** Takes the operation's input, already checked against the model, so that its type can be trusted. */
type Run = (service: Service, input: never, call: CallContext) => Promise<object>;

export const OPERATIONS: Readonly<Record<string, Run>> = {
  CreateDatastore: createDatastore,
  GetDatastore: getDatastore,
  ListDatastores: listDatastores,
  DeleteDatastore: deleteDatastore,
  StartDICOMImportJob: startDicomImportJob,
  GetDICOMImportJob: getDicomImportJob,
  ListDICOMImportJobs: listDicomImportJobs,
  TagResource: tagResource,
  UntagResource: untagResource,
  ListTagsForResource: listTagsForResource,
  SearchImageSets: searchImageSets,
  GetImageSet: getImageSet,
  GetImageSetMetadata: getImageSetMetadata,
  GetImageFrame: getImageFrame,
  ListImageSetVersions: listImageSetVersions,
  UpdateImageSetMetadata: updateImageSetMetadata,
  CopyImageSet: copyImageSet,
  DeleteImageSet: deleteImageSet,
};
