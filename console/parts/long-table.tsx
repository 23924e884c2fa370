/** A table of any length: only the rows in view are on the page. All rows are of one height, so that any is found. */
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { count } from '../format.ts';

/** As in the style sheet. */
const ROW_PX = 52;
/** Browsers lay out no more than some 16 million pixels: longer lists are shown a stretch at a time. */
const STRETCH_ROWS = 100_000;
const MARGIN_ROWS = 8;

export function LongTable(props: {
  readonly label: string;
  readonly heads: readonly string[];
  /** Columns of numbers, by index. */
  readonly numbers?: readonly number[];
  readonly total: number;
  /** Told whenever other rows come into view: from the first to before the last. */
  readonly onView: (from: number, to: number) => void;
  /** Cells of a row; undefined while they are not there yet. */
  readonly row: (index: number) => ComponentChildren | undefined;
}) {
  const { label, heads, numbers = [], total, onView, row } = props;
  const box = useRef<HTMLElement>(null);
  const view = useSignal({ from: 0, to: 20 });
  const stretch = useSignal(0);
  const first = stretch.value * STRETCH_ROWS;
  const rows = Math.min(STRETCH_ROWS, total - first);
  const look = () => {
    if (!box.current) return;
    const { scrollTop, clientHeight } = box.current;
    const from = Math.max(0, Math.floor(scrollTop / ROW_PX) - MARGIN_ROWS);
    const to = Math.min(rows, Math.ceil((scrollTop + clientHeight) / ROW_PX) + MARGIN_ROWS);
    if (from !== view.peek().from || to !== view.peek().to) view.value = { from, to };
  };
  useEffect(look, [rows, stretch.value]);
  const { from, to } = { from: Math.min(view.value.from, rows), to: Math.min(view.value.to, rows) };
  useEffect(() => onView(first + from, first + to), [first, from, to, total]);
  const drawn = Array.from({ length: Math.max(0, to - from) }, (_, n) => first + from + n);
  const turn = (by: number) => {
    stretch.value += by;
    if (box.current) box.current.scrollTop = 0;
  };
  return (
    <>
      <section
        ref={box}
        class="scroll long-table"
        aria-label={`${label}, table`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        tabIndex={0}
        onScroll={look}
      >
        <table aria-rowcount={total + 1}>
          <thead>
            <tr aria-rowindex={1}>
              {heads.map((head, index) => (
                <th key={head} scope="col" class={numbers.includes(index) ? 'number' : ''}>
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {from > 0 && <Space rows={from} columns={heads.length} />}
            {drawn.map((index) => (
              <tr key={index} aria-rowindex={index + 2}>
                {row(index) ?? (
                  <td colSpan={heads.length} class="dim">
                    …
                  </td>
                )}
              </tr>
            ))}
            {to < rows && <Space rows={rows - to} columns={heads.length} />}
          </tbody>
        </table>
      </section>
      {total > STRETCH_ROWS && (
        <p class="row">
          <span class="dim">
            Rows {count(first + 1)} to {count(first + rows)} of {count(total)}
          </span>
          <span class="buttons">
            <button type="button" disabled={stretch.value === 0} onClick={() => turn(-1)}>
              Earlier rows
            </button>
            <button type="button" disabled={first + rows >= total} onClick={() => turn(1)}>
              Later rows
            </button>
          </span>
        </p>
      )}
    </>
  );
}

function Space({ rows, columns }: { readonly rows: number; readonly columns: number }) {
  return (
    <tr class="space" style={{ height: `${rows * ROW_PX}px` }}>
      <td colSpan={columns} />
    </tr>
  );
}
