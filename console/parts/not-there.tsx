/** An address that leads to nothing: says so, and leads back. */
import { linkTo } from '../route.ts';

export function NotThere(props: {
  readonly what: string;
  /** The panel that knows what there is. */
  readonly back: string;
  readonly name: string;
}) {
  const { what, back, name } = props;
  return (
    <section class="card" aria-labelledby="not-there">
      <h1 id="not-there">There is no {what}</h1>
      <p>The address may be mistyped, or what it named may be gone since.</p>
      <p>
        <a href={linkTo(back)}>{name}</a>
      </p>
    </section>
  );
}
