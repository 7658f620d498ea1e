// How to connect from one's own computer: commands that work as they are, a site for FileZilla, and the host keys to compare.
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { api } from '../api/client.ts';
import type { DeliveryInstructions } from '../api/operations.ts';
import { Banner } from '../design/banner.tsx';
import { LinkButton } from '../design/button.tsx';
import { Code } from '../design/code.tsx';
import { Facts } from '../design/facts.tsx';
import { Section } from '../design/section.tsx';
import { Loading, Refused } from '../design/states.tsx';
import { Tabs } from '../design/tabs.tsx';
import { Text, useText } from '../language/text.tsx';
import styles from './delivery.module.css';
import { DeliveryTitle } from './delivery-title.tsx';

type System = DeliveryInstructions['systems'][number]['system'];

/** The reader's own system first, as far as the browser tells. */
function ownSystem(): System {
  const { userAgent } = navigator;
  if (userAgent.includes('Windows')) return 'windows';
  return /Mac|iPhone|iPad/.test(userAgent) ? 'macos' : 'linux';
}

export default function Guide(): ReactNode {
  const instructions = useQuery(api.one('/v1/delivery/instructions'));
  return (
    <>
      <DeliveryTitle titleId="page.deliveryGuide" leadId="delivery.guide.lead" />
      {instructions.isError && (
        <Refused
          problem={instructions.error}
          onRetry={() => void instructions.refetch()}
          isRetrying={instructions.isFetching}
        />
      )}
      {instructions.isPending && <Loading />}
      {instructions.data && <Found instructions={instructions.data} />}
    </>
  );
}

function Found({ instructions }: { readonly instructions: DeliveryInstructions }): ReactNode {
  const text = useText();
  const { hostName, port, userName, hostKeys, systems, psftpCommand } = instructions;
  const [system, setSystem] = useState(ownSystem);
  return (
    <>
      {userName === null && (
        <Banner tone="wait" title={text('delivery.guide.noUser')}>
          {text('delivery.guide.noUserLead')}
        </Banner>
      )}
      <Section title={text('delivery.guide.connection')}>
        <Facts
          items={[
            { term: text('delivery.guide.host'), value: <bdi dir="ltr">{hostName}</bdi> },
            { term: text('delivery.guide.port'), value: <bdi dir="ltr">{String(port)}</bdi> },
            { term: text('delivery.guide.logOn'), value: text('delivery.guide.keyFile') },
            {
              term: text('delivery.state.userName'),
              value: userName === null ? text('delivery.guide.userLater') : <bdi dir="ltr">{userName}</bdi>,
            },
          ]}
        />
      </Section>
      <Section title={text('delivery.guide.commands')} lead={text('delivery.guide.commandsLead')}>
        <Tabs
          label={text('delivery.guide.commands')}
          selected={system}
          onSelect={setSystem}
          items={systems.map((one) => ({
            id: one.system,
            text: text(`word.system.${one.system}`),
            content: (
              <ol className={styles.steps}>
                {one.commands.map(({ step, command }) => (
                  <li key={step}>
                    <p className={styles.name}>{text(`word.command_step.${step}`)}</p>
                    <Code label={text(`word.command_step.${step}`)} text={command} />
                  </li>
                ))}
              </ol>
            ),
          }))}
        />
      </Section>
      <Section
        title={text('delivery.guide.programs')}
        lead={text('delivery.guide.fileZilla')}
        actions={
          <LinkButton href={api.address('/v1/delivery/filezilla.xml')} icon="download" download>
            {text('delivery.guide.fileZillaSite')}
          </LinkButton>
        }
      >
        <p className={styles.name}>{text('delivery.guide.putty')}</p>
        <Code label={text('delivery.guide.putty')} text={psftpCommand} />
        <p>
          <Text id="delivery.guide.help" values={{ link: linkToHelp }} />
        </p>
      </Section>
      <Section title={text('delivery.guide.hostKeys')} lead={text('delivery.guide.hostKeysLead')}>
        {hostKeys.map(({ algorithm, fingerprint }) => (
          <div key={fingerprint}>
            <p className={styles.detail}>
              <bdi dir="ltr">{algorithm}</bdi>
            </p>
            <Code label={text('delivery.guide.hostKeyOf', { algorithm })} text={fingerprint} />
          </div>
        ))}
      </Section>
    </>
  );
}

const linkToHelp = (inside: ReactNode[]): ReactNode => <a href="/help/KB3840">{inside}</a>;
