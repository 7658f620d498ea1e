// What clients uploaded, the newest first, each to be fetched.
import { useInfiniteQuery } from '@tanstack/react-query';
import { type ReactNode, useMemo } from 'react';
import { api } from '../api/client.ts';
import type { Upload } from '../api/operations.ts';
import { LinkButton } from '../design/button.tsx';
import { PageTitle } from '../design/page-title.tsx';
import { Empty } from '../design/states.tsx';
import type { TableColumn } from '../design/table.tsx';
import { Text, useFormats, useText } from '../language/text.tsx';
import { ClientNameById } from './client-name.tsx';
import { ListTable } from './list-table.tsx';

const keyOf = ({ id }: Upload): string => id;

export default function Uploads(): ReactNode {
  const text = useText();
  const formats = useFormats();
  const uploads = useInfiniteQuery(api.list('/v1/delivery-desk/uploads'));
  const columns: readonly TableColumn<Upload>[] = useMemo(
    () => [
      {
        id: 'path',
        title: text('desk.file'),
        isRowHeader: true,
        width: 'minmax(12rem, 2fr)',
        render: ({ path }) => <bdi>{path}</bdi>,
      },
      {
        id: 'client',
        title: text('desk.client'),
        width: 'minmax(12rem, 2fr)',
        render: ({ clientId }) => <ClientNameById clientId={clientId} />,
      },
      {
        id: 'size',
        title: text('desk.size'),
        align: 'end',
        width: '7rem',
        render: ({ sizeBytes }) => formats.bytes(sizeBytes),
      },
      {
        id: 'uploaded',
        title: text('desk.uploads.at'),
        width: '14rem',
        render: ({ uploadedAt }) => formats.instant(uploadedAt),
      },
      {
        id: 'kept',
        title: text('desk.uploads.keptUntil'),
        width: '9rem',
        render: ({ expiresAt }) => formats.relative(expiresAt),
      },
      {
        id: 'fetch',
        title: text('desk.download'),
        isTitleHidden: true,
        width: '9rem',
        render: ({ id }) => (
          <LinkButton
            href={api.address('/v1/delivery-desk/uploads/{entryId}/file', { params: { entryId: id } })}
            icon="download"
            download
          >
            {text('desk.download')}
          </LinkButton>
        ),
      },
    ],
    [text, formats],
  );
  return (
    <>
      <PageTitle title={text('page.deskUploads')} lead={<Text id="desk.uploads.lead" />} />
      <ListTable
        label={text('page.deskUploads')}
        list={uploads}
        columns={columns}
        rowKey={keyOf}
        empty={<Empty title={text('desk.uploads.empty')} icon="upload" />}
      />
    </>
  );
}
