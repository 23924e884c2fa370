/** Which panel is shown: the part of the address after `#`, so that links, back and reload work without a server. */
import { signal } from '@preact/signals';

const segments = () =>
  location.hash
    .replace(/^#\/?/, '')
    .split('/')
    .filter(Boolean)
    .map((part) => decodeURIComponent(part));

/** `#/ingests/abc` → `['ingests', 'abc']`. */
export const route = signal<readonly string[]>(segments());

addEventListener('hashchange', () => {
  route.value = segments();
  document.querySelector<HTMLElement>('main')?.focus({ preventScroll: true });
  scrollTo(0, 0);
});

export const linkTo = (...parts: readonly string[]): string => `#/${parts.map(encodeURIComponent).join('/')}`;
