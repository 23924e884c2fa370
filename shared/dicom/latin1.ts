/** Bytes as text, one character a byte: ASCII and ISO 8859-1. */
export function latin1Text(bytes: Uint8Array): string {
  // A Buffer over the bytes costs more than most values of DICOM are long.
  if (bytes.length > 40) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  let text = '';
  for (let at = 0; at < bytes.length; at++) text += String.fromCharCode(bytes[at] as number);
  return text;
}
