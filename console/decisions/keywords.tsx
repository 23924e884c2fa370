/** In what things differ: keywords, never values. */
export function Keywords({ keywords }: { readonly keywords: readonly string[] }) {
  if (keywords.length === 0) return null;
  return (
    <p>
      They differ in{' '}
      {keywords.map((keyword) => (
        <code key={keyword} class="keyword">
          {keyword}
        </code>
      ))}
    </p>
  );
}
