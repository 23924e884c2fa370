/** Leads from what was refused to the decision about it, where it is a person's to decide. */
import { HELD_CODES } from '../../shared/ingest/held-codes.ts';
import { linkTo } from '../route.ts';

export function DecideLink({
  code,
  executionId,
}: {
  readonly code: string;
  /** Only what this ingest refused. */
  readonly executionId?: string;
}) {
  if (!HELD_CODES.some((held) => held === code)) return null;
  return (
    <p>
      <a href={linkTo('held', ...(executionId === undefined ? [] : [executionId]))}>Look and decide</a>
    </p>
  );
}
