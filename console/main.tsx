/** The console's front door: draws the page and opens the line to the server. */
import { render } from 'preact';
import { App } from './app.tsx';
import { connectLive } from './live.ts';
import { applyTheme } from './theme.ts';
import { keepDropsOnThePage } from './upload/page-drops.ts';

applyTheme();
connectLive();
keepDropsOnThePage();
const place = document.getElementById('app');
if (place) {
  place.replaceChildren();
  render(<App />, place);
}
