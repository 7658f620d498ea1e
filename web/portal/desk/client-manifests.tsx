// The signed daily lists of what was placed for a client, and the check of them.
import { useInfiniteQuery } from '@tanstack/react-query';
import { type ReactNode, useMemo } from 'react';
import { api } from '../api/client.ts';
import type { ManifestCheck, ManifestItem } from '../api/operations.ts';
import { Banner } from '../design/banner.tsx';
import { Button } from '../design/button.tsx';
import { Section } from '../design/section.tsx';
import { Empty, Refused } from '../design/states.tsx';
import { StatusMark } from '../design/status-mark.tsx';
import type { TableColumn } from '../design/table.tsx';
import { useFormats, useText } from '../language/text.tsx';
import { useAction } from './action.ts';
import styles from './desk.module.css';
import { ListTable } from './list-table.tsx';

const keyOf = ({ number }: ManifestItem): string => String(number);
const known = ['unreadable', 'bad_signature', 'chain_broken', 'file_missing', 'file_differs'] as const;

export function ClientManifests({ clientId }: { readonly clientId: string }): ReactNode {
  const text = useText();
  const formats = useFormats();
  const manifests = useInfiniteQuery(api.list('/v1/manifests', { query: { client: clientId } }));
  const check = useAction({
    act: () => api.post('/v1/manifests/check', { client: clientId }),
    touches: /manifests/,
  });
  const columns: readonly TableColumn<ManifestItem>[] = useMemo(
    () => [
      {
        id: 'day',
        title: text('desk.manifest.day'),
        isRowHeader: true,
        width: '9rem',
        render: ({ day }) => formats.date(day),
      },
      {
        id: 'number',
        title: text('desk.manifest.number'),
        align: 'end',
        width: '6rem',
        render: ({ number }) => formats.number(number),
      },
      {
        id: 'state',
        title: text('desk.state'),
        width: '12rem',
        render: ({ isFinal }) => (
          <StatusMark
            tone={isFinal ? 'good' : 'wait'}
            text={text(isFinal ? 'desk.manifest.final' : 'desk.manifest.growing')}
          />
        ),
      },
      {
        id: 'path',
        title: text('desk.file'),
        render: ({ path }) => (
          <bdi dir="ltr" className={styles.code}>
            {path}
          </bdi>
        ),
      },
      {
        id: 'made',
        title: text('desk.manifest.madeAt'),
        width: 'minmax(13rem, 1fr)',
        render: ({ madeAt }) => formats.instant(madeAt),
      },
    ],
    [text, formats],
  );
  return (
    <Section
      title={text('desk.manifests')}
      lead={text('desk.manifests.lead')}
      actions={
        <Button icon="shield" onPress={() => check.mutate()} isPending={check.isPending}>
          {text('desk.manifests.check')}
        </Button>
      }
    >
      {check.isError && <Refused problem={check.error} />}
      {check.data && <Verdict verdict={check.data} />}
      <ListTable
        label={text('desk.manifests')}
        list={manifests}
        columns={columns}
        rowKey={keyOf}
        empty={<Empty title={text('desk.manifests.empty')} icon="document" />}
      />
    </Section>
  );
}

function Verdict({ verdict }: { readonly verdict: ManifestCheck }): ReactNode {
  const text = useText();
  const { manifests, faults } = verdict;
  if (faults.length === 0)
    return <Banner tone="good" live="status" title={text('desk.manifests.whole', { count: manifests })} />;
  return (
    <Banner tone="bad" live="status" title={text('desk.manifests.broken', { count: faults.length })}>
      <ul>
        {faults.map(({ manifest, fault, path }) => {
          const word = known.find((each) => each === fault);
          return (
            <li key={`${manifest} ${fault} ${path}`}>
              <bdi>{path ?? manifest}</bdi>: {word === undefined ? fault : text(`desk.manifest.fault.${word}`)}
            </li>
          );
        })}
      </ul>
    </Banner>
  );
}
