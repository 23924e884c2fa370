/** Character sets of PS3.3 C.12.1.1.2, judged by python's codecs, by PS3.5 annexes H to K, and by the shared files. */
import { execFileSync, spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { characterSetOf, decodeText } from '../../shared/dicom/character-sets.ts';
import { type DataSet, HeldElement } from '../../shared/dicom/data-set.ts';
import { readP10, text, texts } from '../../shared/dicom/p10.ts';
import { hasSharedDicom, readShared } from '../shared-material.ts';
import { bufferSource } from './corpus.ts';

function setOf(terms: string) {
  const bytes = Buffer.from(terms, 'latin1');
  const element = new HeldElement(0x00080005, 'CS', 0, bytes.length, true, bytes, 0);
  const dataSet: DataSet = { elements: new Map([[0x00080005, element]]) };
  return characterSetOf(dataSet);
}

const decode = (terms: string, bytes: Uint8Array, vr = 'LO') => decodeText(bytes, setOf(terms), vr);
const latin = (text: string) => Buffer.from(text, 'latin1');

/** Defined terms, with the codec of python that says what their bytes mean. */
const JUDGED: readonly [term: string, codec: string, sample: string][] = [
  ['ISO_IR 100', 'iso8859-1', 'Äneas Rüdiger £'],
  ['ISO_IR 101', 'iso8859-2', 'Dvořák Żółć Wałęsa'],
  ['ISO_IR 109', 'iso8859-3', 'Ĉapelo Ġorġ'],
  ['ISO_IR 110', 'iso8859-4', 'Ģirts Šķēle'],
  ['ISO_IR 126', 'iso8859-7', 'Διονυσιος'],
  ['ISO_IR 127', 'iso8859-6', 'قباني لنزار'],
  ['ISO_IR 138', 'iso8859-8', 'שרון דבורה'],
  ['ISO_IR 144', 'iso8859-5', 'Люксембург'],
  ['ISO_IR 148', 'iso8859-9', 'Çağdaş Şükrü İğne'],
  ['ISO_IR 166', 'tis-620', 'นาม สกุล'],
  ['ISO_IR 203', 'iso8859-15', 'Œuvre Žižek €'],
  ['ISO_IR 192', 'utf-8', '王小東 Ω 😀'],
  ['GB18030', 'gb18030', '王小东 㐀 😀'],
  ['GBK', 'gbk', '王小东'],
  ['ISO 2022 IR 100', 'iso8859-1', 'Jérôme'],
  ['ISO 2022 IR 166', 'tis-620', 'นาม'],
];
const python = spawnSync('python3', ['--version']).status === 0;
if (!python) console.warn('skipped: no python3 to judge the character sets');

describe('decodeText', () => {
  it.skipIf(!python)('agrees with an independent encoder on every single term', () => {
    const script = 'import sys,json;print(json.dumps([s.encode(c).hex() for _,c,s in json.load(sys.stdin)]))';
    const encoded = execFileSync('python3', ['-c', script], {
      input: JSON.stringify(JUDGED),
      encoding: 'utf8',
    });
    const bytes = (JSON.parse(encoded) as string[]).map((hex) => Buffer.from(hex, 'hex'));
    JUDGED.forEach(([term, , sample], index) => {
      expect([term, decode(term, bytes[index] as Uint8Array)]).toEqual([term, sample]);
    });
  });

  it.skipIf(!python)('gives every byte of the single-byte sets what python gives', () => {
    const singles = JUDGED.filter(([, codec]) => codec.startsWith('iso8859'));
    const script =
      "import sys,json;print(json.dumps([bytes(range(160,256)).decode(c,'replace') for _,c,_s in json.load(sys.stdin)]))";
    const wanted = JSON.parse(
      execFileSync('python3', ['-c', script], { input: JSON.stringify(singles), encoding: 'utf8' }),
    ) as string[];
    const all = Uint8Array.from({ length: 96 }, (_, at) => at + 160);
    const got = singles.map(([term]) => [term, decode(term, all)]);
    expect(got).toEqual(singles.map(([term], index) => [term, wanted[index]]));
  });

  it('reads the examples of PS3.5 annexes H, I, J and K', () => {
    const esc = '\u001b';
    const h31 = `Yamada^Tarou=${esc}$B;3ED${esc}(B^${esc}$BB@O:${esc}(B=${esc}$B$d$^$@${esc}(B^${esc}$B$?$m$&${esc}(B`;
    expect(decode('\\ISO 2022 IR 87', latin(h31), 'PN')).toBe('Yamada^Tarou=山田^太郎=やまだ^たろう');
    const h32 = `\xd4\xcf\xc0\xde^\xc0\xdb\xb3=${esc}$B;3ED${esc}(J^${esc}$BB@O:${esc}(J=${esc}$B$d$^$@${esc}(J^${esc}$B$?$m$&${esc}(J`;
    expect(decode('ISO 2022 IR 13\\ISO 2022 IR 87', latin(h32), 'PN')).toBe(
      'ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう',
    );
    const i2 = `Hong^Gildong=${esc}$)C\xfb\xf3^${esc}$)C\xd1\xce\xd4\xd7=${esc}$)C\xc8\xab^${esc}$)C\xb1\xe6\xb5\xbf`;
    expect(decode('\\ISO 2022 IR 149', latin(i2), 'PN')).toBe('Hong^Gildong=洪^吉洞=홍^길동');
    const k2 = `Zhang^XiaoDong=${esc}$)A\xd5\xc5^${esc}$)A\xd0\xa1\xb6\xab=`;
    expect(decode('\\ISO 2022 IR 58', latin(k2), 'PN')).toBe('Zhang^XiaoDong=张^小东=');
    const x0212 = `${esc}$(D\x30\x21${esc}(B`;
    expect(decode('\\ISO 2022 IR 159', latin(x0212))).toBe('丂');
    expect(decode('ISO 2022 IR 6\\ISO 2022 IR 127', latin(`a ${esc}-G\xc7\xe4\xe4`))).toBe('a الل');
  });

  it('goes back to the first sets at delimiters and line ends, by VR', () => {
    const esc = '\u001b';
    const greek = `${esc}-F\xe1`;
    expect(decode('ISO 2022 IR 100\\ISO 2022 IR 126', latin(`${greek}\\\xe1`))).toBe('α\\á');
    expect(decode('ISO 2022 IR 100\\ISO 2022 IR 126', latin(`${greek}^\xe1`), 'PN')).toBe('α^á');
    expect(decode('ISO 2022 IR 100\\ISO 2022 IR 126', latin(`${greek}^\xe1`), 'LO')).toBe('α^α');
    expect(decode('ISO 2022 IR 100\\ISO 2022 IR 126', latin(`${greek}\r\n\xe1`), 'LT')).toBe('α\r\ná');
  });

  it('does not take a backslash byte inside of a two-byte character for a delimiter', () => {
    const esc = '\u001b';
    expect(decode('\\ISO 2022 IR 87', latin(`${esc}$B\x25\x5c${esc}(B\\x`))).toBe('ボ\\x');
    expect(decode('GB18030', Buffer.from('815c5c41', 'hex'))).toBe('乗\\A');
  });

  it('keeps yen and overline of JIS X 0201, but parts values at its delimiter', () => {
    expect(decode('ISO_IR 13', latin('\x5c~\xb1'), 'LT')).toBe('¥‾ｱ');
    expect(decode('ISO_IR 13', latin('\xb1\x5c\xb2'), 'LO')).toBe('ｱ\\ｲ');
  });

  it('reads unknown sets and none as Latin-1, and misspelt ones as meant', () => {
    expect(decode('KLINGON', latin('\xe9'))).toBe('é');
    expect(setOf('KLINGON').unknownTerm).toBe('KLINGON');
    expect(decode('', latin('\xe9'))).toBe('é');
    for (const spelling of ['ISO_IR_192', 'ISO-IR 192', 'ISO IR 192', 'iso_ir 192 ', 'UTF-8'])
      expect(decode(spelling, Buffer.from('ž'))).toBe('ž');
  });

  it('never throws, whatever the bytes', () => {
    const all = Uint8Array.from({ length: 512 }, (_, at) => (at * 7) % 256);
    for (const terms of [
      ...JUDGED.map(([term]) => term),
      '\\ISO 2022 IR 87',
      'ISO 2022 IR 13\\ISO 2022 IR 159',
    ])
      expect(typeof decode(terms, all, 'PN')).toBe('string');
  });
});

describe.skipIf(!hasSharedDicom)('names of the shared files', () => {
  const names: Record<string, string> = {
    chrArab: 'قباني^لنزار',
    chrFren: 'Buc^Jérôme',
    chrH31: 'Yamada^Tarou=山田^太郎=やまだ^たろう',
    chrH32: 'ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう',
    chrHbrw: 'שרון^דבורה',
    chrI2: 'Hong^Gildong=洪^吉洞=홍^길동',
    chrJapMulti: 'やまだ^たろう',
    chrRuss: 'Люкceмбypг',
    chrX1: 'Wang^XiaoDong=王^小東=',
    chrX2: 'Wang^XiaoDong=王^小东=',
  };
  for (const [name, wanted] of Object.entries(names))
    it(`${name}: ${wanted}`, async () => {
      expect(text(await readP10(bufferSource(readShared(`charsets/${name}.dcm`))), 'PatientName')).toBe(
        wanted,
      );
    });

  it('an item with a character set of its own, others inherit', async () => {
    const p10 = await readP10(bufferSource(readShared('charsets/chrSQEncoding.dcm')));
    const items = p10.dataset.elements.get(0x00321064)?.items ?? [];
    expect(
      items.map((item) => texts(item, 'CodeMeaning').concat(texts(item, 'PatientName'))),
    ).toMatchSnapshot();
  });
});
