/** A table that scrolls sideways by itself where the page is narrow. */
import type { ComponentChildren } from 'preact';

export function Table(props: {
  readonly label: string;
  readonly heads: readonly string[];
  /** Columns of numbers, by index. */
  readonly numbers?: readonly number[];
  readonly children: ComponentChildren;
}) {
  const { label, heads, numbers = [] } = props;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section class="scroll" aria-label={`${label}, table`} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {heads.map((head, index) =>
              head === '' ? (
                <td key="unnamed" />
              ) : (
                <th key={head} scope="col" class={numbers.includes(index) ? 'number' : ''}>
                  {head}
                </th>
              ),
            )}
          </tr>
        </thead>
        <tbody>{props.children}</tbody>
      </table>
    </section>
  );
}
