// Follows what changes on the server and reads again what is shown of it. One tab of a browser listens and tells the others,
// because a browser opens few connections to one server.
import type { Change, ChangeKind } from '@broadgate/contract/events.ts';
import type { QueryClient } from '@tanstack/react-query';
import { noteReachable } from './reachable.ts';

/** What a change of this kind may show in: words in the paths of the operations that were read. */
const touched: Readonly<Record<ChangeKind, RegExp>> = {
  notice: /notices/,
  statement: /statements|retention|repository/,
  delivery: /delivery/,
  request: /requests|delivery/,
  key: /keys|requests|instructions|delivery$/,
  address: /addresses|requests|blocks|delivery$/,
  connection: /connections|delivery$/,
  refusal: /refusals/,
  receipt: /receipts|timeline/,
  run: /runs/,
  deletion: /deletions|retention/,
  client: /clients|\/me$/,
  sign_in: /sign-ins/,
  preferences: /\/me$/,
};

type Word =
  | { readonly sort: 'change'; readonly change: Change; readonly eventId: string }
  | { readonly sort: 'reset' }
  | { readonly sort: 'reachable'; readonly isReachable: boolean };

const patienceMs = 4_000;
const retryMs = { first: 2_000, max: 60_000 };

/** Starts to listen, for as long as the page is open. `onEnded` is told when the server ends the stream with the sign-in. */
export function followEvents(queryClient: QueryClient, onEnded: () => Promise<void>): void {
  const channel = new BroadcastChannel('events');
  let lastEventId = '';

  function hear(word: Word): void {
    if (word.sort === 'reachable') return noteReachable(word.isReachable);
    if (word.sort === 'reset') return void queryClient.invalidateQueries();
    lastEventId = word.eventId;
    // A server newer than this page may know kinds that the page does not show.
    const paths: RegExp | undefined = touched[word.change.kind];
    if (paths === undefined) return;
    void queryClient.invalidateQueries({ predicate: ({ queryKey }) => paths.test(String(queryKey[0])) });
  }
  channel.addEventListener('message', (event) => hear(event.data as Word));
  const tell = (word: Word): void => {
    hear(word);
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel reaches pages of our own origin only
    channel.postMessage(word);
  };

  /** Listens until the stream is over for good; a connection that breaks is opened again by the browser. */
  const listen = (): Promise<void> =>
    new Promise((done) => {
      const query = lastEventId === '' ? '' : `?${new URLSearchParams({ since: lastEventId }).toString()}`;
      const source = new EventSource(`/v1/events${query}`);
      // A stream that is opened again in a moment was not away.
      let lost: number | undefined;
      source.addEventListener('ready', () => {
        clearTimeout(lost);
        lost = undefined;
        tell({ sort: 'reachable', isReachable: true });
      });
      source.addEventListener('reset', () => tell({ sort: 'reset' }));
      source.addEventListener('message', (event: MessageEvent<string>) => {
        tell({ sort: 'change', change: JSON.parse(event.data) as Change, eventId: event.lastEventId });
      });
      source.addEventListener('error', () => {
        if (source.readyState === EventSource.CLOSED) {
          clearTimeout(lost);
          done();
        } else lost ??= window.setTimeout(() => tell({ sort: 'reachable', isReachable: false }), patienceMs);
      });
      addEventListener('pagehide', () => source.close());
    });

  /** Never ends: who holds the lock listens for all, and the next one takes it when that tab is closed. */
  async function hold(): Promise<never> {
    for (let failures = 0; ; failures += 1) {
      const startedMs = performance.now();
      await listen();
      // The server said no: the sign-in may be over, which asking for anything else finds out.
      await onEnded();
      if (performance.now() - startedMs > retryMs.max) failures = 0;
      const waitMs = Math.min(retryMs.max, retryMs.first * 2 ** Math.min(failures, 10));
      await new Promise((again) => setTimeout(again, waitMs));
    }
  }
  void navigator.locks.request('events', hold);
}
