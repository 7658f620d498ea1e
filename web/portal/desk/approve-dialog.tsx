// Asks before a request is approved, with everything that the approval is about.
import type { ReactNode } from 'react';
import { api } from '../api/client.ts';
import type { DeliveryRequest } from '../api/operations.ts';
import { ConfirmDialog } from '../design/dialog.tsx';
import { Refused } from '../design/states.tsx';
import { Text, useText } from '../language/text.tsx';
import { useAction } from './action.ts';
import { RequestItems } from './request-items.tsx';

interface ApproveDialogProps {
  readonly request: DeliveryRequest;
  readonly onClose: () => void;
}

export function ApproveDialog({ request, onClose }: ApproveDialogProps): ReactNode {
  const text = useText();
  const approve = useAction({
    act: () =>
      api.post('/v1/delivery-desk/requests/{requestId}/approve', undefined, { params: { requestId: request.id } }),
    touches: /delivery/,
    done: text('desk.approve.done'),
    onDone: onClose,
  });
  const left = request.approvalsNeeded - request.approvalsGiven;
  return (
    <ConfirmDialog
      title={text('desk.approve.title', { kind: text(`word.request_kind.${request.kind}`) })}
      isOpen
      onClose={onClose}
      onConfirm={() => approve.mutate()}
      confirm={text('desk.approve')}
      isPending={approve.isPending}
    >
      {approve.isError && <Refused problem={approve.error} />}
      <p>
        <Text id={request.kind === 'set_up' ? 'desk.approve.setUpLead' : 'desk.approve.lead'} />
      </p>
      {left > 1 && (
        <p>
          <Text id="desk.approve.another" />
        </p>
      )}
      <RequestItems items={request} label={text('desk.request.items')} />
    </ConfirmDialog>
  );
}
