/** Words with commands in them: what stands between backticks is shown as code. */
export function Advice({ text }: { readonly text: string }) {
  return (
    <>
      {text
        .split('`')
        .map((part, index) => (index % 2 === 1 ? <code key={`${index} ${part}`}>{part}</code> : part))}
    </>
  );
}
