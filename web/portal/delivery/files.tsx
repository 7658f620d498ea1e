// The repository as it stands on SFTP: what the broker placed, and what the client uploads.
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useRef, useState } from 'react';
import { api } from '../api/client.ts';
import type { Entry } from '../api/operations.ts';
import { Button, IconButton } from '../design/button.tsx';
import { ConfirmDialog } from '../design/dialog.tsx';
import { Field } from '../design/field.tsx';
import { FileDrop } from '../design/file-drop.tsx';
import { Icon } from '../design/icons.tsx';
import { Meter } from '../design/progress.tsx';
import { Section } from '../design/section.tsx';
import { Empty, Refused } from '../design/states.tsx';
import { Table } from '../design/table.tsx';
import { useToast } from '../design/toasts.tsx';
import { readForm } from '../frame/form-fields.ts';
import { PageLink } from '../frame/open-pages.tsx';
import { useFilters } from '../frame/path.ts';
import { useFormats, useText } from '../language/text.tsx';
import styles from './delivery.module.css';
import { DeliveryTitle } from './delivery-title.tsx';

const keyOf = ({ path }: Entry): string => path;
const readPath = ({ path }: Readonly<Record<string, unknown>>): { readonly path: string | undefined } => ({
  path: typeof path === 'string' && path.startsWith('/') ? path : undefined,
});
const join = (folder: string, name: string): string => (folder === '/' ? `/${name}` : `${folder}/${name}`);
const parentOf = (path: string): string => path.slice(0, Math.max(1, path.lastIndexOf('/')));

export default function Files(): ReactNode {
  const text = useText();
  const [{ path = '/' }] = useFilters(readPath);
  const entries = useInfiniteQuery(api.list('/v1/repository/entries', { query: { path } }));
  const [deleted, setDeleted] = useState<Entry>();
  const columns = useColumns(setDeleted);
  return (
    <>
      <DeliveryTitle titleId="page.deliveryFiles" leadId="delivery.files.lead" />
      <Section
        title={text('delivery.files.folder', { path })}
        actions={
          path !== '/' && (
            <PageLink path="/delivery/files" search={{ path: parentOf(path) }}>
              {text('delivery.files.up')}
            </PageLink>
          )
        }
      >
        {entries.isError && <Refused problem={entries.error} onRetry={() => void entries.refetch()} />}
        <Table
          label={text('delivery.files.folder', { path })}
          rows={entries.data ?? []}
          rowKey={keyOf}
          columns={columns}
          isLoading={entries.isPending}
          loadMore={{
            hasMore: entries.hasNextPage,
            isLoading: entries.isFetchingNextPage,
            onLoadMore: () => void entries.fetchNextPage(),
          }}
          empty={entries.isError ? null : <Empty title={text('delivery.files.none')} icon="folder" />}
        />
      </Section>
      <Upload folder={path} />
      {deleted && <Deletion entry={deleted} onClose={() => setDeleted(undefined)} />}
    </>
  );
}

function useColumns(onDelete: (entry: Entry) => void) {
  const text = useText();
  const formats = useFormats();
  return [
    {
      id: 'name',
      title: text('delivery.receipts.file'),
      isRowHeader: true,
      width: 'minmax(12rem, 2fr)',
      render: ({ kind, name, path }: Entry) =>
        kind === 'folder' ? (
          <PageLink path="/delivery/files" search={{ path }}>
            <bdi>{name}/</bdi>
          </PageLink>
        ) : (
          <bdi dir="auto">{name}</bdi>
        ),
    },
    {
      id: 'origin',
      title: text('delivery.files.origin'),
      render: ({ origin }: Entry) => text(`word.entry_origin.${origin}`),
    },
    {
      id: 'size',
      title: text('delivery.files.size'),
      align: 'end' as const,
      width: '7rem',
      render: ({ kind, sizeBytes }: Entry) => (kind === 'folder' ? '' : formats.bytes(sizeBytes)),
    },
    {
      id: 'placed',
      title: text('delivery.files.placed'),
      width: 'minmax(9rem, 1.2fr)',
      render: ({ placedAt }: Entry) => formats.instant(placedAt),
    },
    {
      id: 'actions',
      title: text('delivery.files.actions'),
      isTitleHidden: true,
      width: '7rem',
      render: (entry: Entry) => <Actions entry={entry} onDelete={onDelete} />,
    },
  ];
}

/** Everything of the repository is read again, with what a change did to the space. */
function useReadRepository(): () => Promise<void> {
  const queryClient = useQueryClient();
  return () =>
    queryClient.invalidateQueries({ predicate: ({ queryKey }) => String(queryKey[0]).startsWith('/v1/repository') });
}

interface ActionsProps {
  readonly entry: Entry;
  readonly onDelete: (entry: Entry) => void;
}

function Actions({ entry, onDelete }: ActionsProps): ReactNode {
  const text = useText();
  const { kind, name, path, origin } = entry;
  return (
    <>
      {kind === 'file' && (
        <a
          href={api.address('/v1/repository/file', { query: { path } })}
          download
          aria-label={text('delivery.files.download', { name })}
        >
          <Icon name="download" />
        </a>
      )}
      {origin === 'client' && (
        <IconButton icon="trash" label={text('delivery.files.delete', { name })} onPress={() => onDelete(entry)} />
      )}
    </>
  );
}

/** Asks outside of the table, whose rows come and go. */
function Deletion({ entry, onClose }: { readonly entry: Entry; readonly onClose: () => void }): ReactNode {
  const text = useText();
  const readRepository = useReadRepository();
  const { kind, name, path } = entry;
  const remove = useMutation({
    mutationFn: () =>
      kind === 'file'
        ? api.delete('/v1/repository/file', { query: { path } })
        : api.delete('/v1/repository/folder', { query: { path } }),
    async onSuccess() {
      onClose();
      await readRepository();
    },
  });
  return (
    <ConfirmDialog
      title={text('delivery.files.delete', { name })}
      isOpen
      onClose={onClose}
      onConfirm={() => remove.mutate()}
      confirm={text('delivery.files.deleteDo')}
      variant="danger"
      isPending={remove.isPending}
    >
      {remove.isError ? <Refused problem={remove.error} /> : text('delivery.files.deleteLead')}
    </ConfirmDialog>
  );
}

function Upload({ folder }: { readonly folder: string }): ReactNode {
  const text = useText();
  const formats = useFormats();
  const toast = useToast();
  const form = useRef<HTMLFormElement>(null);
  const readRepository = useReadRepository();
  const space = useQuery(api.one('/v1/repository/space'));
  const upload = useMutation({
    mutationFn: (file: File) =>
      api.put('/v1/repository/file', file.slice(0, file.size, 'application/octet-stream'), {
        query: { path: join(folder, file.name) },
      }),
    async onSuccess({ name }) {
      toast({ tone: 'good', text: text('delivery.files.uploaded', { name }) });
      await readRepository();
    },
  });
  const makeFolder = useMutation({
    mutationFn: (name: string) => api.post('/v1/repository/folders', { path: join(folder, name) }),
    async onSuccess() {
      form.current?.reset();
      await readRepository();
    },
  });

  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    const name = readForm(event.currentTarget, 'name').name.trim();
    if (name !== '') makeFolder.mutate(name);
  }

  return (
    <Section title={text('delivery.files.upload')} lead={text('delivery.files.uploadLead')}>
      {upload.isError && <Refused problem={upload.error} />}
      <FileDrop
        label={text('delivery.files.drop')}
        accept=""
        onFile={(file) => upload.mutate(file)}
        isPending={upload.isPending}
      />
      {makeFolder.isError && <Refused problem={makeFolder.error} />}
      <form ref={form} onSubmit={submit} className={styles.line}>
        <Field label={text('delivery.files.newFolder')} name="name" maxLength={255} />
        <Button type="submit" icon="folder" isPending={makeFolder.isPending}>
          {text('delivery.files.makeFolder')}
        </Button>
      </form>
      {space.data && (
        <Meter
          label={text('delivery.files.space')}
          value={space.data.usedBytes}
          max={space.data.quotaBytes}
          warnFrom={space.data.quotaBytes * 0.9}
          text={text('delivery.files.spaceUsed', {
            used: formats.bytes(space.data.usedBytes),
            quota: formats.bytes(space.data.quotaBytes),
          })}
        />
      )}
    </Section>
  );
}
