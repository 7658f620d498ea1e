// The last steps of a first set-up: log-in details are issued, and the connection is marked configured.
import { type ReactNode, useState } from 'react';
import { api } from '../api/client.ts';
import type { Delivery, DeliveryLogIn } from '../api/operations.ts';
import { Button } from '../design/button.tsx';
import { Code } from '../design/code.tsx';
import { ConfirmDialog, Dialog } from '../design/dialog.tsx';
import { Facts } from '../design/facts.tsx';
import { Section } from '../design/section.tsx';
import { Refused } from '../design/states.tsx';
import { StatusMark } from '../design/status-mark.tsx';
import { Text, useFormats, useText } from '../language/text.tsx';
import { useAction } from './action.ts';
import styles from './desk.module.css';
import { connectionTones } from './tones.ts';

interface SetUpStepsProps {
  readonly clientId: string;
  readonly delivery: Delivery;
}

export function SetUpSteps({ clientId, delivery }: SetUpStepsProps): ReactNode {
  const text = useText();
  const formats = useFormats();
  const [asks, setAsks] = useState(false);
  const [issued, setIssued] = useState<DeliveryLogIn>();
  const { connection } = delivery;
  const params = { clientId };
  const issue = useAction({
    act: () => api.post('/v1/clients/{clientId}/delivery/log-in', undefined, { params }),
    touches: /delivery/,
    onDone(logIn) {
      setAsks(false);
      setIssued(logIn);
    },
  });
  const configure = useAction({
    act: () => api.post('/v1/clients/{clientId}/delivery/configured', undefined, { params }),
    touches: /delivery/,
    done: text('desk.setUp.configuredDone'),
  });
  // Without a choice of SFTP there is nothing to log in to.
  const isElected = connection.state !== 'none' && connection.state !== 'closed';
  const isConfigured = connection.configuredAt !== null;
  return (
    <Section
      title={text('desk.setUp.title')}
      actions={
        <>
          {isElected && (
            <Button
              variant={connection.userName === null ? 'primary' : 'quiet'}
              onPress={() => (connection.userName === null ? issue.mutate() : setAsks(true))}
              isPending={issue.isPending}
            >
              {text(connection.userName === null ? 'desk.setUp.issue' : 'desk.setUp.issueAgain')}
            </Button>
          )}
          {!isConfigured && connection.userName !== null && (
            <Button variant="primary" onPress={() => configure.mutate()} isPending={configure.isPending}>
              {text('desk.setUp.configure')}
            </Button>
          )}
        </>
      }
    >
      {issue.isError && <Refused problem={issue.error} />}
      {configure.isError && <Refused problem={configure.error} />}
      <Facts
        items={[
          {
            term: text('desk.setUp.connection'),
            value: (
              <StatusMark
                tone={connectionTones[connection.state]}
                text={text(`word.connection_state.${connection.state}`)}
              />
            ),
          },
          ...(connection.reason === null
            ? []
            : [{ term: text('desk.reason'), value: <span dir="auto">{connection.reason}</span> }]),
          {
            term: text('desk.setUp.userName'),
            value: connection.userName === null ? text('desk.setUp.notIssued') : <bdi>{connection.userName}</bdi>,
          },
          {
            term: text('desk.setUp.configuredAt'),
            value: connection.configuredAt === null ? text('desk.notYet') : formats.instant(connection.configuredAt),
          },
          {
            term: text('desk.setUp.provenAt'),
            value: connection.provenAt === null ? text('desk.notYet') : formats.instant(connection.provenAt),
          },
        ]}
      />
      <ConfirmDialog
        title={text('desk.setUp.issueAgain')}
        isOpen={asks}
        onClose={() => setAsks(false)}
        onConfirm={() => issue.mutate()}
        confirm={text('desk.setUp.issueAgain')}
        isPending={issue.isPending}
      >
        {issue.isError && <Refused problem={issue.error} />}
        <p>
          <Text id="desk.setUp.issueAgainLead" />
        </p>
      </ConfirmDialog>
      {issued !== undefined && (
        <Dialog
          title={text('desk.setUp.issuedTitle')}
          isOpen
          onClose={() => setIssued(undefined)}
          actions={
            <Button variant="primary" onPress={() => setIssued(undefined)}>
              {text('desk.setUp.noted')}
            </Button>
          }
        >
          <p>
            <Text id="desk.setUp.issuedLead" />
          </p>
          <div className={styles.form}>
            <p className={styles.name}>{text('desk.setUp.userName')}</p>
            <Code text={issued.userName} label={text('desk.setUp.userName')} />
            <p className={styles.name}>{text('desk.setUp.password')}</p>
            <Code text={issued.password} label={text('desk.setUp.password')} />
          </div>
        </Dialog>
      )}
    </Section>
  );
}
