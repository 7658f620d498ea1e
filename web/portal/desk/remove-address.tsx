// Takes an address of a client off the list, after asking; what is connected from it ends at once.
import { type ReactNode, useState } from 'react';
import { api } from '../api/client.ts';
import type { DeliveryAddress } from '../api/operations.ts';
import { Button } from '../design/button.tsx';
import { ReasonDialog } from './reason-dialog.tsx';
import { useText } from '../language/text.tsx';

export function RemoveAddress({ address }: { readonly address: DeliveryAddress }): ReactNode {
  const text = useText();
  const [asks, setAsks] = useState(false);
  if (address.state === 'removed') return null;
  const { network } = address;
  return (
    <>
      <Button icon="trash" onPress={() => setAsks(true)}>
        {text('desk.address.removeOf', { network })}
      </Button>
      {asks && (
        <ReasonDialog
          title={text('desk.address.removeOf', { network })}
          lead={text('desk.address.removeLead')}
          confirm={text('desk.address.remove')}
          done={text('desk.address.removed', { network })}
          touches={/delivery/}
          act={(reason) =>
            api.post('/v1/delivery/addresses/{entryId}/remove', { reason }, { params: { entryId: address.id } })
          }
          onClose={() => setAsks(false)}
        />
      )}
    </>
  );
}
