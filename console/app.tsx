/** The shell around the panels: name, navigation, connection, theme. */
import { useEffect } from 'preact/hooks';
import { DataStorePanel } from './data-store/data-store.tsx';
import { HeldPanel } from './decisions/held.tsx';
import { ImageSetPanel } from './image-sets/image-set.tsx';
import { ImageSetsPanel } from './image-sets/image-sets.tsx';
import { IngestsPanel } from './ingests/ingests.tsx';
import { OneIngestPanel } from './ingests/one-ingest.tsx';
import { connection, isTroubled, overview } from './live.ts';
import { NowPanel } from './now/now.tsx';
import { NotThere } from './parts/not-there.tsx';
import { RefusedPanel } from './refused/refused.tsx';
import { linkTo, route } from './route.ts';
import { signedInAs, signInAgain, signInProblem, signOut } from './sign-in/session.ts';
import { nextTheme, theme } from './theme.ts';
import { UploadPanel } from './upload/upload.tsx';

const PANELS = [
  { path: '', name: 'Now' },
  { path: 'ingests', name: 'Ingests' },
  { path: 'image-sets', name: 'Image sets' },
  { path: 'upload', name: 'Upload' },
  { path: 'data-store', name: 'Data store' },
] as const;

/** Panels that are reached from another one. */
const PART_OF: Readonly<Record<string, string>> = { find: 'ingests', refused: '', held: '' };

export function App() {
  const [panel = ''] = route.value;
  const shown = PART_OF[panel] ?? panel;
  useEffect(() => {
    const { name } = PANELS.find(({ path }) => path === shown) ?? { name: 'No such page' };
    document.title = `${name} · Isocenter`;
  }, [shown]);
  return (
    <>
      <button type="button" class="skip" onClick={skipToMain}>
        Skip to the content
      </button>
      <header class="top">
        <a class="brand" href="#/">
          <img src="icon.svg" alt="" width="26" height="26" /> Isocenter
        </a>
        <nav aria-label="Panels">
          {PANELS.map(({ path, name }) => (
            <a key={path} href={linkTo(path)} aria-current={shown === path ? 'page' : undefined}>
              {name}
              {path === '' && <RunningCount />}
            </a>
          ))}
        </nav>
        <SignedIn />
        <ConnectionState />
        <button
          type="button"
          class="quiet theme"
          onClick={nextTheme}
          aria-label={`Colours: ${theme.value}. Change`}
        >
          {theme.value === 'dark' ? '☾' : theme.value === 'light' ? '☀' : '◐'}
        </button>
      </header>
      {connection.value === 'disconnected' && (
        <p class="disconnected" role="alert">
          Disconnected: the server does not answer. What you see may be old. Connecting again…
        </p>
      )}
      {connection.value === 'live' && isTroubled.value && (
        <p class="disconnected" role="alert">
          The server answers, but cannot read its stores. What you see may be old. It tries again by itself.
        </p>
      )}
      <main id="main" tabIndex={-1}>
        {signInProblem.value === undefined ? <Panel /> : <NotSignedIn problem={signInProblem.value} />}
      </main>
    </>
  );
}

function SignedIn() {
  if (signedInAs.value === undefined) return null;
  return (
    <span class="who">
      {signedInAs.value}{' '}
      <button type="button" class="quiet" onClick={signOut}>
        Sign out
      </button>
    </span>
  );
}

function NotSignedIn({ problem }: { readonly problem: string }) {
  return (
    <section class="card" aria-labelledby="not-signed-in">
      <h1 id="not-signed-in">Not signed in</h1>
      <p role="alert">{problem}</p>
      <p class="buttons">
        <button type="button" class="main" onClick={signInAgain}>
          Sign in
        </button>
      </p>
    </section>
  );
}

function skipToMain(): void {
  document.getElementById('main')?.focus();
}

function Panel() {
  const [panel = '', id, more] = route.value;
  if (panel === 'ingests')
    return id ? <OneIngestPanel key={id} executionId={id} code={more} /> : <IngestsPanel key="all" />;
  if (panel === 'find') return <IngestsPanel key={`${id} ${more}`} outcome={id} when={more} />;
  if (panel === 'refused') return <RefusedPanel kind={id} when={more} />;
  if (panel === 'held') return <HeldPanel key={id ?? 'all'} executionId={id} />;
  if (panel === 'image-sets') return id ? <ImageSetPanel key={id} imageSetId={id} /> : <ImageSetsPanel />;
  if (panel === 'upload') return <UploadPanel />;
  if (panel === 'data-store') return <DataStorePanel />;
  return panel === '' ? <NowPanel /> : <NotThere what="such page" back="" name="Now" />;
}

function RunningCount() {
  const running = overview.value?.running.length ?? 0;
  return running === 0 ? null : (
    <span class="bubble">
      {running}
      <span class="hidden"> running</span>
    </span>
  );
}

const STATES = { connecting: 'Connecting', live: 'Live', disconnected: 'Disconnected' } as const;

function ConnectionState() {
  return (
    <span class={`connection ${connection.value}`} role="status">
      <span class="dot" aria-hidden="true" />
      {STATES[connection.value]}
    </span>
  );
}
