// One statement as the desk sees it: what it is, its life as a timeline, and its withdrawal.
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { api } from '../api/client.ts';
import type { Statement } from '../api/operations.ts';
import { Banner } from '../design/banner.tsx';
import { Button } from '../design/button.tsx';
import { Facts } from '../design/facts.tsx';
import { PageTitle } from '../design/page-title.tsx';
import { Section } from '../design/section.tsx';
import { Loading, Refused } from '../design/states.tsx';
import { StatusMark } from '../design/status-mark.tsx';
import { PageLink } from '../frame/open-pages.tsx';
import { Text, useFormats, useText } from '../language/text.tsx';
import { useStatementTitle } from '../statements/statement-title.ts';
import { ClientNameById } from './client-name.tsx';
import styles from './desk.module.css';
import { ReasonDialog } from './reason-dialog.tsx';
import { StatementTimeline } from './statement-timeline.tsx';
import { statementTones } from './tones.ts';

export default function StatementPage(): ReactNode {
  const { statementId = '' } = useParams({ strict: false }) as { statementId?: string };
  const text = useText();
  const titleOf = useStatementTitle();
  const [asks, setAsks] = useState(false);
  const params = { statementId };
  const statement = useQuery(api.one('/v1/statements/{statementId}', { params }));
  const timeline = useQuery(api.one('/v1/statements/{statementId}/timeline', { params }));
  const { data } = statement;
  return (
    <>
      <PageTitle
        title={data ? <bdi>{titleOf(data)}</bdi> : text('page.deskStatement')}
        lead={data && <ClientNameById clientId={data.clientId} />}
        back={
          <PageLink path="/desk/statements">
            <Text id="page.deskStatements" />
          </PageLink>
        }
        actions={
          data &&
          data.state !== 'withdrawn' && (
            <Button variant="danger" onPress={() => setAsks(true)}>
              {text('desk.withdraw')}
            </Button>
          )
        }
      />
      {statement.isError && <Refused problem={statement.error} onRetry={() => void statement.refetch()} />}
      {statement.isPending && <Loading />}
      {data && <StatementFacts statement={data} />}
      <Section title={text('desk.timeline')}>
        {timeline.isError && <Refused problem={timeline.error} onRetry={() => void timeline.refetch()} />}
        {timeline.isPending && <Loading />}
        {timeline.data && <StatementTimeline steps={timeline.data.steps} />}
      </Section>
      {asks && (
        <ReasonDialog
          title={text('desk.withdraw.title')}
          lead={text('desk.withdraw.lead')}
          confirm={text('desk.withdraw')}
          done={text('desk.withdraw.done')}
          touches={/statements|deletions|retention/}
          act={(reason) => api.post('/v1/delivery-desk/statements/{statementId}/withdraw', { reason }, { params })}
          onClose={() => setAsks(false)}
        />
      )}
    </>
  );
}

function StatementFacts({ statement }: { readonly statement: Statement }): ReactNode {
  const text = useText();
  const formats = useFormats();
  const { withdrawn, delivery, state } = statement;
  return (
    <>
      {withdrawn !== null && (
        <Banner tone="bad" title={text('desk.withdrawn', { at: formats.instant(withdrawn.at) })}>
          <span dir="auto">{withdrawn.reason}</span>
        </Banner>
      )}
      <Section title={text('desk.statement.facts')}>
        <Facts
          items={[
            {
              term: text('desk.state'),
              value: <StatusMark tone={statementTones[state]} text={text(`word.statement_state.${state}`)} />,
            },
            { term: text('desk.account'), value: <bdi>{statement.accountNumber}</bdi> },
            { term: text('desk.period'), value: formats.period(statement.periodFrom, statement.periodTo) },
            {
              term: text('desk.file'),
              value: (
                <>
                  <bdi>{statement.name}</bdi> · {formats.bytes(statement.sizeBytes)}
                </>
              ),
            },
            { term: text('desk.statement.version'), value: formats.number(statement.version) },
            { term: text('desk.statement.issuedAt'), value: formats.instant(statement.issuedAt) },
            ...(delivery?.state === 'placed'
              ? [
                  {
                    term: text('desk.statement.path'),
                    value: (
                      <bdi dir="ltr" className={styles.code}>
                        {delivery.path}
                      </bdi>
                    ),
                  },
                ]
              : []),
            {
              term: 'SHA-256',
              value: (
                <bdi dir="ltr" className={styles.code}>
                  {statement.sha256}
                </bdi>
              ),
            },
          ]}
        />
      </Section>
    </>
  );
}
