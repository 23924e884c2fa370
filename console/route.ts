/** Which panel is shown: the part of the address after `#`, so that links, back and reload work without a server. */
import { signal } from '@preact/signals';

const segments = () => location.hash.replace(/^#\/?/, '').split('/').filter(Boolean).map(decoded);

/** An address that somebody mistyped is shown as it is. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** `#/ingests/abc` → `['ingests', 'abc']`. */
export const route = signal<readonly string[]>(segments());

addEventListener('hashchange', () => {
  route.value = segments();
  document.querySelector<HTMLElement>('main')?.focus({ preventScroll: true });
  scrollTo(0, 0);
});

export const linkTo = (...parts: readonly string[]): string => `#/${parts.map(encodeURIComponent).join('/')}`;
