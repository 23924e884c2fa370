/** Result lines of VerifyFrames for instances that are not as they must be. Pure. */
import {
  type FrameCounts,
  identifiersOf,
  NO_FRAMES,
  type VerifiedLine,
  type VerifyLine,
} from './verify-lines.ts';

export const finding = (
  line: VerifyLine,
  counts: FrameCounts,
  code: NonNullable<VerifiedLine['code']>,
  message: string,
): VerifiedLine => ({ ...identifiersOf(line), counts, code, message });

/** The line of an instance whose frames crashed the handler, alone. */
export const crashedVerification = (line: VerifyLine): VerifiedLine =>
  finding(
    line,
    { ...NO_FRAMES, expected: line.frameTo - line.frameFrom, undecodable: line.frameTo - line.frameFrom },
    'HandlerCrashed',
    'proving this instance ended the handler, alone in its shard',
  );
