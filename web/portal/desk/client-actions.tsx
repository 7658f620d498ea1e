// What the desk can do with a client: send a test file, stop and open its connection, stop and let in the client itself.
import { type ReactNode, useState } from 'react';
import { api } from '../api/client.ts';
import type { Client, Delivery } from '../api/operations.ts';
import { Button } from '../design/button.tsx';
import { Refused } from '../design/states.tsx';
import { useText } from '../language/text.tsx';
import { useAction } from './action.ts';
import { ReasonDialog } from './reason-dialog.tsx';

interface ClientActionsProps {
  readonly client: Client;
  readonly delivery: Delivery;
}

type Asked = 'suspendConnection' | 'suspendClient' | 'resumeClient';

const openStates = new Set<Delivery['connection']['state']>(['configured', 'proven']);

export function ClientActions({ client, delivery }: ClientActionsProps): ReactNode {
  const text = useText();
  const [asked, setAsked] = useState<Asked>();
  const params = { clientId: client.id };
  const { state } = delivery.connection;
  const send = useAction({
    act: () => api.post('/v1/clients/{clientId}/delivery/test-file', undefined, { params }),
    touches: /delivery|statements/,
    done: text('desk.client.testSent'),
  });
  const resume = useAction({
    act: () => api.post('/v1/clients/{clientId}/delivery/resume', undefined, { params }),
    touches: /delivery/,
    done: text('desk.client.connectionResumed'),
  });
  const problem = send.error ?? resume.error;
  const dialogs = {
    suspendConnection: (reason: string) => api.post('/v1/clients/{clientId}/delivery/suspend', { reason }, { params }),
    suspendClient: (reason: string) => api.post('/v1/clients/{clientId}/suspend', { reason }, { params }),
    resumeClient: (reason: string) => api.post('/v1/clients/{clientId}/resume', { reason }, { params }),
  };
  return (
    <>
      {openStates.has(state) && (
        <>
          <Button icon="document" onPress={() => send.mutate()} isPending={send.isPending}>
            {text('desk.client.sendTest')}
          </Button>
          <Button onPress={() => setAsked('suspendConnection')}>{text('desk.client.suspendConnection')}</Button>
        </>
      )}
      {state === 'suspended' && (
        <Button variant="primary" onPress={() => resume.mutate()} isPending={resume.isPending}>
          {text('desk.client.resumeConnection')}
        </Button>
      )}
      {client.state === 'active' && (
        <Button variant="danger" onPress={() => setAsked('suspendClient')}>
          {text('desk.client.suspendClient')}
        </Button>
      )}
      {client.state === 'suspended' && (
        <Button variant="primary" onPress={() => setAsked('resumeClient')}>
          {text('desk.client.resumeClient')}
        </Button>
      )}
      {problem !== null && <Refused problem={problem} />}
      {asked !== undefined && (
        <ReasonDialog
          title={text(`desk.client.${asked}`)}
          lead={text(`desk.client.${asked}Lead`)}
          confirm={text(`desk.client.${asked}`)}
          done={text(`desk.client.${asked}Done`)}
          touches={/clients|delivery/}
          act={dialogs[asked]}
          onClose={() => setAsked(undefined)}
          variant={asked === 'resumeClient' ? 'primary' : 'danger'}
        />
      )}
    </>
  );
}
