// The newest statements of the chosen account, with how long they stay.
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { api } from '../api/client.ts';
import type { Statement } from '../api/operations.ts';
import { Section } from '../design/section.tsx';
import { Empty, Loading, Refused } from '../design/states.tsx';
import { useAccount } from '../frame/account.ts';
import { PageAction, PageLink } from '../frame/open-pages.tsx';
import { Text, useFormats, useText } from '../language/text.tsx';
import { useStatementTitle } from '../statements/statement-title.ts';
import styles from './home.module.css';

const shownMax = 5;

export function NewStatements(): ReactNode {
  const text = useText();
  const account = useAccount();
  const newest = useQuery(api.one('/v1/statements', { query: { account, limit: shownMax } }));
  return (
    <Section
      title={text('home.statements.title')}
      actions={
        <PageAction path="/statements">
          <Text id="home.statements.all" />
        </PageAction>
      }
    >
      {newest.isError && <Refused problem={newest.error} onRetry={() => void newest.refetch()} />}
      {newest.isPending && <Loading />}
      {newest.data?.items.length === 0 && <Empty title={text('home.statements.empty')} icon="document" />}
      {/* oxlint-disable-next-line jsx-a11y/no-redundant-roles -- WebKit takes a list without marks for no list */}
      <ul role="list">
        {newest.data?.items.map((statement) => (
          <StatementRow key={statement.id} statement={statement} />
        ))}
      </ul>
    </Section>
  );
}

function StatementRow({ statement }: { readonly statement: Statement }): ReactNode {
  const text = useText();
  const formats = useFormats();
  const titleOf = useStatementTitle();
  const { id, accountNumber, periodFrom, periodTo, issuedAt } = statement;
  const period = periodFrom === periodTo ? formats.date(periodTo) : formats.period(periodFrom, periodTo);
  return (
    <li className={styles.row}>
      <p className={styles.name}>
        <PageLink path="/statements/$statementId" params={{ statementId: id }}>
          {titleOf(statement)}
        </PageLink>
      </p>
      <p className={styles.detail}>
        {period} · {text('home.statements.account')} <bdi>{accountNumber}</bdi>
      </p>
      <p className={styles.at}>
        <time dateTime={issuedAt}>{formats.relative(issuedAt)}</time>
      </p>
    </li>
  );
}
