// What was issued, of every client, withdrawn and expired statements included.
import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type ReactNode, useMemo, useState } from 'react';
import { api } from '../api/client.ts';
import type { Statement } from '../api/operations.ts';
import { LinkButton } from '../design/button.tsx';
import { type DateRange, DateRangeField } from '../design/date-range-field.tsx';
import { Field } from '../design/field.tsx';
import { PageTitle } from '../design/page-title.tsx';
import { Empty } from '../design/states.tsx';
import { StatusMark } from '../design/status-mark.tsx';
import type { TableColumn } from '../design/table.tsx';
import { PageLink } from '../frame/open-pages.tsx';
import { Text, useFormats, useText } from '../language/text.tsx';
import { useStatementTitle } from '../statements/statement-title.ts';
import styles from './desk.module.css';
import { ListTable } from './list-table.tsx';
import { useSettled } from './settled.ts';
import { statementTones } from './tones.ts';

const keyOf = ({ id }: Statement): string => id;
const isAccount = /^[A-Za-z0-9][A-Za-z0-9-]{0,31}$/;

export default function IssuedStatements(): ReactNode {
  const text = useText();
  const navigate = useNavigate();
  const [typed, setTyped] = useState('');
  const [period, setPeriod] = useState<DateRange>();
  const account = useSettled(typed.trim());
  const list = useInfiniteQuery(
    api.list('/v1/delivery-desk/statements', {
      query: { account: isAccount.test(account) ? account : undefined, from: period?.from, to: period?.to },
    }),
  );
  const columns = useColumns();
  return (
    <>
      <PageTitle
        title={text('page.deskStatements')}
        lead={<Text id="desk.statements.lead" />}
        actions={
          <LinkButton href="/desk/statements/issue" variant="primary" icon="upload">
            {text('page.deskIssue')}
          </LinkButton>
        }
      />
      <div className={styles.filters}>
        <Field label={text('desk.account')} value={typed} onChange={setTyped} maxLength={32} />
        <DateRangeField label={text('desk.period')} value={period} onChange={setPeriod} />
      </div>
      <ListTable
        label={text('page.deskStatements')}
        list={list}
        columns={columns}
        rowKey={keyOf}
        onAction={({ id }) => void navigate({ to: '/desk/statements/$statementId', params: { statementId: id } })}
        empty={<Empty title={text('desk.statements.empty')} icon="document" />}
      />
    </>
  );
}

function useColumns(): readonly TableColumn<Statement>[] {
  const text = useText();
  const formats = useFormats();
  const titleOf = useStatementTitle();
  return useMemo(
    () => [
      {
        id: 'title',
        title: text('desk.statement'),
        isRowHeader: true,
        width: 'minmax(12rem, 2fr)',
        render: (row) => (
          <PageLink path="/desk/statements/$statementId" params={{ statementId: row.id }}>
            <bdi>{titleOf(row)}</bdi>
          </PageLink>
        ),
      },
      { id: 'file', title: text('desk.file'), width: 'minmax(10rem, 2fr)', render: ({ name }) => <bdi>{name}</bdi> },
      {
        id: 'account',
        title: text('desk.account'),
        width: '8rem',
        render: ({ accountNumber }) => <bdi>{accountNumber}</bdi>,
      },
      {
        id: 'period',
        title: text('desk.period'),
        width: 'minmax(10rem, 1fr)',
        render: ({ periodFrom, periodTo }) => formats.period(periodFrom, periodTo),
      },
      {
        id: 'state',
        title: text('desk.state'),
        width: '9rem',
        render: ({ state }) => <StatusMark tone={statementTones[state]} text={text(`word.statement_state.${state}`)} />,
      },
    ],
    // The name of a kind changes with the language, as all texts do.
    // oxlint-disable-next-line react/exhaustive-deps
    [text, formats],
  );
}
