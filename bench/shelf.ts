// What several rows use together, opened when the first asks and closed, last first, at the end of the run.

export function createShelf() {
  const opened = new AsyncDisposableStack();
  const things = new Map<string, Promise<AsyncDisposable>>();
  return {
    share<Thing extends AsyncDisposable>(name: string, open: () => Promise<Thing>): Promise<Thing> {
      const there = things.get(name);
      // The name stands for one kind of thing; the row that asks knows which.
      if (there !== undefined) return there as Promise<Thing>;
      const opening = open().then((thing) => opened.use(thing));
      things.set(name, opening);
      return opening;
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
