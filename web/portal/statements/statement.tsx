// One statement: what it is, where it is on its way, what it says, and everything that happened to it.
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { api } from '../api/client.ts';
import type { Statement as StatementShape } from '../api/operations.ts';
import { Banner } from '../design/banner.tsx';
import { LinkButton } from '../design/button.tsx';
import { Code } from '../design/code.tsx';
import { Facts } from '../design/facts.tsx';
import { PageTitle } from '../design/page-title.tsx';
import { Section } from '../design/section.tsx';
import { Loading, Refused } from '../design/states.tsx';
import { PageAction } from '../frame/open-pages.tsx';
import { usePathParam } from '../frame/path.ts';
import { Text, useFormats, useText } from '../language/text.tsx';
import { Delivered } from './delivered.tsx';
import { Preview } from './preview.tsx';
import { StatementTimeline } from './statement-timeline.tsx';
import { useStatementTitle } from './statement-title.ts';

export default function Statement(): ReactNode {
  const text = useText();
  const statementId = usePathParam('statementId');
  const found = useQuery(api.one('/v1/statements/{statementId}', { params: { statementId } }));
  const back = (
    <PageAction path="/statements">
      <Text id="statements.back" />
    </PageAction>
  );
  if (found.data !== undefined) return <Found statement={found.data} back={back} />;
  return (
    <>
      <PageTitle title={text('page.statement')} back={back} />
      {found.isError ? (
        <Refused problem={found.error} onRetry={() => void found.refetch()} isRetrying={found.isFetching} />
      ) : (
        <Loading />
      )}
    </>
  );
}

function Found({ statement, back }: { readonly statement: StatementShape; readonly back: ReactNode }): ReactNode {
  const text = useText();
  const formats = useFormats();
  const title = useStatementTitle()(statement);
  const { id, periodFrom, periodTo, delivery, withdrawn, state } = statement;
  const params = { statementId: id };
  return (
    <>
      <PageTitle
        title={<bdi>{title}</bdi>}
        lead={periodFrom === periodTo ? formats.date(periodTo) : formats.period(periodFrom, periodTo)}
        back={back}
        actions={
          state === 'available' && (
            <>
              {delivery?.state === 'placed' && delivery.isEncrypted && (
                <LinkButton
                  href={api.address('/v1/statements/{statementId}/delivered', { params })}
                  icon="lock"
                  download
                >
                  {text('statements.downloadEncrypted')}
                </LinkButton>
              )}
              <LinkButton
                href={api.address('/v1/statements/{statementId}/file', { params })}
                icon="download"
                variant="primary"
                download
              >
                {text('statements.download')}
              </LinkButton>
            </>
          )
        }
      />
      {withdrawn !== null && (
        <Banner tone="warn" title={text('statements.withdrawn', { at: formats.instant(withdrawn.at) })} />
      )}
      {state === 'available' && <Preview statement={statement} />}
      <StatementFacts statement={statement} />
      <StatementTimeline statementId={id} />
    </>
  );
}

function StatementFacts({ statement }: { readonly statement: StatementShape }): ReactNode {
  const text = useText();
  const formats = useFormats();
  const { accountNumber, name, version, sizeBytes, sha256, issuedAt, expiresAt, delivery } = statement;
  const placed = delivery?.state === 'placed' ? delivery : undefined;
  return (
    <Section title={text('statements.facts')}>
      <Facts
        items={[
          { term: text('statements.account'), value: <bdi>{accountNumber}</bdi> },
          { term: text('statements.file'), value: <bdi>{name}</bdi> },
          { term: text('statements.size'), value: formats.bytes(sizeBytes) },
          ...(version > 1 ? [{ term: text('statements.version'), value: formats.number(version) }] : []),
          { term: text('statements.issued'), value: formats.instant(issuedAt) },
          {
            term: text('statements.keptUntil'),
            value:
              expiresAt === null
                ? text('statements.keptOncePlaced')
                : `${formats.instant(expiresAt)} (${formats.relative(expiresAt)})`,
          },
          { term: text('statements.delivery'), value: <Delivered statement={statement} /> },
          ...(delivery?.state === 'waiting'
            ? [{ term: text('statements.waitsFor'), value: text(`word.waits_for.${delivery.waitsFor}`) }]
            : []),
          ...(placed ? [{ term: text('statements.path'), value: <bdi dir="ltr">{placed.path}</bdi> }] : []),
          ...(placed?.isEncrypted && placed.certificateFingerprint !== null
            ? [
                {
                  term: text('statements.certificate'),
                  value: <Code label={text('statements.certificate')} text={placed.certificateFingerprint} />,
                },
              ]
            : []),
          { term: text('statements.sha256'), value: <Code label={text('statements.sha256')} text={sha256} /> },
        ]}
      />
    </Section>
  );
}
