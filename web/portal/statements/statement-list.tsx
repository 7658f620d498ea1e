// All statements of the client: found by account, kind and period, read one by one or taken away together.
import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { lazy, type ReactNode, Suspense, useMemo, useState } from 'react';
import { api } from '../api/client.ts';
import { useMe } from '../api/me.ts';
import type { Statement } from '../api/operations.ts';
import { Button, LinkButton } from '../design/button.tsx';
import { Icon } from '../design/icons.tsx';
import { PageTitle } from '../design/page-title.tsx';
import { Select } from '../design/select.tsx';
import { Empty, Refused } from '../design/states.tsx';
import { Table, type TableColumn } from '../design/table.tsx';
import { chooseAccount, useAccount } from '../frame/account.ts';
import { PageLink } from '../frame/open-pages.tsx';
import { useFilters } from '../frame/path.ts';
import { useFormats, useText } from '../language/text.tsx';
import { Delivered } from './delivered.tsx';
import { readFilters, statementKinds } from './statement-filters.ts';
import { useStatementTitle } from './statement-title.ts';
import styles from './statements.module.css';

const DateRangeField = lazy(async () => ({ default: (await import('../design/date-range-field.tsx')).DateRangeField }));

/** As the operation takes at most. */
const archiveMax = 200;
const dayMs = 86_400_000;
const keyOf = ({ id }: Statement): string => id;

export default function StatementList(): ReactNode {
  const text = useText();
  const account = useAccount();
  const navigate = useNavigate();
  const [filters, change] = useFilters(readFilters);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const statements = useInfiniteQuery(api.list('/v1/statements', { query: { account, ...filters } }));
  const columns = useColumns();
  const rows = useMemo(() => statements.data ?? [], [statements.data]);
  const isFiltered = account !== undefined || Object.values(filters).some((value) => value !== undefined);
  const reset = (): void => {
    chooseAccount(undefined);
    change({ kind: undefined, from: undefined, to: undefined });
  };
  return (
    <>
      <PageTitle title={text('page.statements')} lead={text('statements.lead')} />
      <Filters isFiltered={isFiltered} onReset={reset} />
      {statements.isError && (
        <Refused
          problem={statements.error}
          onRetry={() => void statements.refetch()}
          isRetrying={statements.isFetching}
        />
      )}
      {rows.length > 0 && <Chosen rows={rows} selected={selected} onClear={() => setSelected(new Set())} />}
      {!(statements.isError && rows.length === 0) && (
        <Table
          label={text('page.statements')}
          columns={columns}
          rows={rows}
          rowKey={keyOf}
          onAction={({ id }) => void navigate({ to: '/statements/$statementId', params: { statementId: id } })}
          selection={{ selected, onChange: setSelected }}
          loadMore={{
            hasMore: statements.hasNextPage,
            isLoading: statements.isFetchingNextPage,
            onLoadMore: () => void statements.fetchNextPage(),
          }}
          isLoading={statements.isPending}
          empty={
            isFiltered ? (
              <Empty
                title={text('statements.noneFound')}
                icon="filter"
                actions={<Button onPress={reset}>{text('statements.reset')}</Button>}
              />
            ) : (
              <Empty title={text('statements.none')} icon="document">
                {text('statements.noneLead')}
              </Empty>
            )
          }
        />
      )}
    </>
  );
}

function Filters({ isFiltered, onReset }: { readonly isFiltered: boolean; readonly onReset: () => void }): ReactNode {
  const text = useText();
  const { accountNumbers } = useMe();
  const account = useAccount();
  const [filters, change] = useFilters(readFilters);
  return (
    <div className={styles.filters} role="search" aria-label={text('statements.filters')}>
      {accountNumbers.length > 1 && (
        <Select
          label={text('statements.account')}
          items={[{ id: '', text: text('statements.allAccounts') }, ...accountNumbers.map((id) => ({ id, text: id }))]}
          value={account ?? ''}
          onChange={(id) => chooseAccount(id === '' ? undefined : id)}
        />
      )}
      <Select
        label={text('statements.kind')}
        items={[
          { id: '', text: text('statements.allKinds') },
          ...statementKinds.map((kind) => ({ id: kind as string, text: text(`word.statement_kind.${kind}`) })),
        ]}
        value={filters.kind ?? ''}
        onChange={(kind) => change({ kind })}
      />
      <div className={styles.period}>
        <Suspense>
          <DateRangeField
            label={text('statements.period')}
            value={
              filters.from === undefined || filters.to === undefined
                ? undefined
                : { from: filters.from, to: filters.to }
            }
            onChange={(range) => change({ from: range?.from, to: range?.to })}
          />
        </Suspense>
      </div>
      {isFiltered && (
        <div className={styles.reset}>
          <Button onPress={onReset}>{text('statements.reset')}</Button>
        </div>
      )}
    </div>
  );
}

/** What can be done with the rows that are chosen; those that a filter has taken out of sight are left out. */
function Chosen({
  rows,
  selected,
  onClear,
}: {
  readonly rows: readonly Statement[];
  readonly selected: ReadonlySet<string>;
  readonly onClear: () => void;
}): ReactNode {
  const text = useText();
  const chosen = rows.filter(({ id, state }) => selected.has(id) && state === 'available');
  const isTooMany = chosen.length > archiveMax;
  return (
    <div className={styles.chosen}>
      <span role="status">
        {chosen.length === 0 ? text('statements.chooseRows') : text('statements.chosen', { count: chosen.length })}
        {isTooMany && ` ${text('statements.chosenTooMany', { max: archiveMax })}`}
      </span>
      {chosen.length > 0 && !isTooMany && (
        <LinkButton
          href={api.address('/v1/statements/archive', { query: { ids: chosen.map(keyOf).join(',') } })}
          icon="download"
          variant="primary"
          download
        >
          {text('statements.downloadZip', { count: chosen.length })}
        </LinkButton>
      )}
      {selected.size > 0 && <Button onPress={onClear}>{text('statements.clearChosen')}</Button>}
    </div>
  );
}

function useColumns(): readonly TableColumn<Statement>[] {
  const text = useText();
  const formats = useFormats();
  const titleOf = useStatementTitle();
  const hasAccounts = useMe().accountNumbers.length > 1;
  return useMemo(() => {
    const accountColumn: TableColumn<Statement> = {
      id: 'account',
      title: text('statements.account'),
      width: '7rem',
      render: ({ accountNumber }) => <bdi>{accountNumber}</bdi>,
    };
    const periodOf = ({ periodFrom, periodTo }: Statement): string =>
      periodFrom === periodTo ? formats.date(periodTo) : formats.period(periodFrom, periodTo);
    return [
      {
        id: 'title',
        title: text('statements.column.title'),
        isRowHeader: true,
        width: 'minmax(11rem, 1.6fr)',
        render: (statement) => (
          <PageLink path="/statements/$statementId" params={{ statementId: statement.id }}>
            <bdi>{titleOf(statement)}</bdi>
          </PageLink>
        ),
      },
      ...(hasAccounts ? [accountColumn] : []),
      { id: 'period', title: text('statements.period'), width: 'minmax(8rem, 1.2fr)', render: periodOf },
      {
        id: 'format',
        title: text('statements.format'),
        width: '5rem',
        render: ({ name }) => formatOf(name),
      },
      {
        id: 'delivery',
        title: text('statements.delivery'),
        width: 'minmax(9rem, 1.4fr)',
        render: (statement) => <Delivered statement={statement} />,
      },
      {
        id: 'daysLeft',
        title: text('statements.daysLeft'),
        align: 'end',
        width: '6rem',
        render: ({ expiresAt, state }) =>
          expiresAt === null || state !== 'available'
            ? '–'
            : formats.number(Math.max(0, Math.ceil((Date.parse(expiresAt) - Date.now()) / dayMs))),
      },
      {
        id: 'download',
        title: text('statements.download'),
        isTitleHidden: true,
        width: '4.5rem',
        render: (statement) =>
          statement.state === 'available' && (
            <a
              href={api.address('/v1/statements/{statementId}/file', { params: { statementId: statement.id } })}
              download
              aria-label={text('statements.downloadOf', { title: `${titleOf(statement)} ${periodOf(statement)}` })}
            >
              <Icon name="download" />
            </a>
          ),
      },
    ];
  }, [text, formats, titleOf, hasAccounts]);
}

/** The ending of a file's name, as people say it: `PDF`. */
const formatOf = (name: string): string => name.slice(name.lastIndexOf('.') + 1).toUpperCase();
