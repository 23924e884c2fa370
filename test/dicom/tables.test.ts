/** The tables: dictionary, transfer syntaxes, outcomes and their page. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { constraintsPage } from '../../scripts/pages/constraints-page.ts';
import { outcomesPage } from '../../scripts/pages/outcomes-page.ts';
import { hexTag, isPrivate, lookUp, nameOf, tagOf } from '../../shared/dicom/dictionary.ts';
import { TRANSFER_SYNTAXES, transferSyntax } from '../../shared/dicom/transfer-syntaxes.ts';
import { OUTCOMES } from '../../shared/ingest/outcomes.ts';

/** DCMTK's dictionary of PS3.6 2022b, where it is installed. */
const DCMTK = ['/usr/share/libdcmtk17/dicom.dic', '/usr/share/libdcmtk18/dicom.dic'].find(existsSync);
if (!DCMTK) console.warn('skipped: no dictionary of DCMTK to compare with');

describe('the dictionary', () => {
  it('finds elements by tag and keyword, repeating groups included', () => {
    expect(lookUp(0x00100010)).toMatchObject({
      keyword: 'PatientName',
      vr: 'PN',
      vm: '1',
      isMultiple: false,
    });
    expect(tagOf('StudyInstanceUID')).toBe(0x0020000d);
    expect(lookUp(0x60043000)?.keyword).toBe('OverlayData');
    expect(tagOf('OverlayData')).toBe(0x60003000);
    expect(lookUp(0x60013000)).toBeUndefined();
    expect(lookUp(0x002031a5)?.keyword).toBe('SourceImageIDs');
    expect(lookUp(0x00280120)).toMatchObject({ vr: 'US', vrDepends: true });
    expect([isPrivate(0x00091001), isPrivate(0x00080010)]).toEqual([true, false]);
    expect([nameOf(0x00091001), hexTag(0x0009100a)]).toEqual(['(0009,1001)', '0009100A']);
  });

  it.skipIf(!DCMTK)('agrees with PS3.6 2022b as DCMTK has it', () => {
    const differences: string[] = [];
    for (const line of readFileSync(DCMTK ?? '', 'latin1').split('\n')) {
      const [, group, element, vr, keyword, vm] =
        /^\(([0-9a-f]{4}),([0-9a-f]{4})\)\t(\S+)\t(\S+)\t(\S+)/i.exec(line) ?? [];
      if (!group || !element || group === '0000' || vr === 'na') continue;
      const ours = lookUp(Number.parseInt(group + element, 16));
      const sameVr = ours?.vrDepends || vr === 'up' || ours?.vr === vr;
      if (ours?.keyword !== keyword?.replace(/^RETIRED_/, '') || ours?.vm !== vm || !sameVr)
        differences.push(`${group}${element} ${ours?.vr} ${ours?.vm} ${ours?.keyword}, not ${line}`);
    }
    expect(differences).toEqual([]);
  });
});

describe('the transfer syntaxes', () => {
  it('are listed once each, sixteen of them in 2024', () => {
    expect(new Set(TRANSFER_SYNTAXES.map(({ uid }) => uid)).size).toBe(TRANSFER_SYNTAXES.length);
    expect(TRANSFER_SYNTAXES.filter((syntax) => syntax[2024] === 'transcode')).toHaveLength(16);
    expect(TRANSFER_SYNTAXES.filter((syntax) => syntax[2024] === 'keep')).toHaveLength(0);
  });

  it('keep today what the guide keeps', () => {
    const kept = TRANSFER_SYNTAXES.filter((syntax) => syntax.current === 'keep').map(({ uid }) =>
      uid.slice(18),
    );
    const videos = ['100', '101', '102', '103', '104', '105', '106'].flatMap((it) => [
      `4.${it}`,
      `4.${it}.1`,
    ]);
    expect(kept.sort()).toEqual(['4.50', '4.91', '4.203', '4.112', '4.107', '4.108', ...videos].sort());
    expect(transferSyntax('1.2.840.10008.1.2.4.92')).toMatchObject({ 2024: 'refuse', current: 'transcode' });
  });
});

describe('the constraints', () => {
  it('are what docs/constraints.md says', () => {
    expect(readFileSync(new URL('../../docs/constraints.md', import.meta.url), 'utf8')).toBe(
      constraintsPage(),
    );
  });
});

describe('the outcomes', () => {
  it('are what docs/outcomes.md says', () => {
    expect(readFileSync(new URL('../../docs/outcomes.md', import.meta.url), 'utf8')).toBe(outcomesPage());
  });

  it('each tell an operator what to do; benign ones are rejects that a retry cannot help', () => {
    for (const [code, entry] of Object.entries(OUTCOMES)) {
      expect([code, entry.advice.endsWith('.') || entry.advice.endsWith('`.')]).toEqual([code, true]);
      expect(entry.says.length).toBeGreaterThan(15);
      if (entry.benign) expect([entry.kind, entry.retry]).toEqual(['reject', false]);
    }
    expect(Object.entries(OUTCOMES).flatMap(([code, { benign }]) => (benign ? [code] : []))).toEqual([
      'DicomDirectory',
      'SystemFile',
    ]);
  });
});
