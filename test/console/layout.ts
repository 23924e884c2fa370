/** What breaks a layout, computed in the page itself, so that no font and no browser's version makes a difference. */

/** Evaluates to a list of troubles: what sticks out of the page, overlaps something, or is cut off. */
export const LAYOUT_TROUBLES = `(() => {
  const name = (element) => element.tagName.toLowerCase() + ' "' + (element.textContent || element.getAttribute('aria-label') || '').trim().slice(0, 40) + '"';
  const troubles = [];
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > width) troubles.push('the page is ' + document.documentElement.scrollWidth + ' wide');
  const isShown = (element) => element.checkVisibility({ visibilityProperty: true }) && !element.closest('.skip, .hidden');
  // What scrolls by itself may hold more than is seen.
  const all = [...document.querySelectorAll('a, button, select, input, textarea, h1, h2, .badge, .figure, .card, summary')]
    .filter((element) => isShown(element) && !element.closest('.scroll'));
  const boxes = all.map((element) => ({ element, box: element.getBoundingClientRect() })).filter(({ box }) => box.width > 0);
  for (const { element, box } of boxes)
    if (box.left < -1 || box.right > width + 1) troubles.push(name(element) + ' sticks out');
  const controls = boxes.filter(({ element }) => element.matches('a, button, select, input, textarea'));
  for (const [index, a] of controls.entries())
    for (const b of controls.slice(index + 1)) {
      if (a.element.contains(b.element) || b.element.contains(a.element)) continue;
      const across = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left);
      const down = Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top);
      if (across > 2 && down > 2) troubles.push(name(a.element) + ' overlaps ' + name(b.element));
    }
  for (const { element } of boxes)
    if (element.matches('button:not(.clamp), .badge, .figure') && element.scrollWidth > element.clientWidth + 1)
      troubles.push(name(element) + ' is cut off');
  return troubles;
})()`;
