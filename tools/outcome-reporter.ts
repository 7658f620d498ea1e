// A reporter for node:test that writes one JSON line a test: its name and whether it passed, failed or was skipped.
interface TestEvent {
  readonly type: string;
  readonly data: {
    readonly name: string;
    readonly skip?: unknown;
    readonly todo?: unknown;
    readonly details?: { readonly type?: string };
  };
}

export default async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const { type, data } of source) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    if (data.details?.type === 'suite') continue;
    const skipped = data.skip !== undefined && data.skip !== false;
    yield `${JSON.stringify({ name: data.name, outcome: type === 'test:fail' ? 'failed' : skipped ? 'skipped' : 'passed' })}\n`;
  }
}
