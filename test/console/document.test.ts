/** Which instances of an image set can be shown. */
import { describe, expect, it } from 'vitest';
import { type InstanceEntry, keptWhole, type MetadataDocument } from '../../console/image-sets/document.ts';

describe('frames that cannot be shown', () => {
  const document = (instances: Record<string, InstanceEntry>): MetadataDocument => ({
    Patient: { DICOM: {} },
    Study: { DICOM: {}, Series: { '1.2': { DICOM: {}, Instances: instances } } },
  });

  it('are those of instances with a stored transfer syntax, but no frame', () => {
    const whole = { DICOM: {}, StoredTransferSyntaxUID: '1.2.3.4', ImageFrames: [] };
    const shown = {
      DICOM: {},
      StoredTransferSyntaxUID: '1.2.840.10008.1.2.4.202',
      ImageFrames: [{ ID: 'a' }],
    };
    expect(keptWhole(document({ '1.2.1': whole, '1.2.2': shown, '1.2.3': whole }))).toEqual({
      instances: 2,
      syntaxes: ['1.2.3.4'],
    });
  });

  it('are none of an instance without pixels', () => {
    expect(keptWhole(document({ '1.2.1': { DICOM: {}, ImageFrames: [] } }))).toEqual({
      instances: 0,
      syntaxes: [],
    });
  });
});
