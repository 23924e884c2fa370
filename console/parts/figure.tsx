/** A number and its name; where `to` is given, a link to what it counts. */
export function Figure(props: {
  readonly name: string;
  readonly value: string;
  readonly tone: string;
  readonly to?: string;
}) {
  const { name, value, tone, to } = props;
  const inside = (
    <>
      <span class="value">{value}</span>
      <span class="name">{name}</span>
    </>
  );
  return to ? (
    <a class={`figure ${tone}`} href={to}>
      {inside}
    </a>
  ) : (
    <div class={`figure ${tone}`}>{inside}</div>
  );
}
