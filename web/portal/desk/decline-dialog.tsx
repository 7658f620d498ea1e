// Declines a request with a reason: one of the list, which the client reads in its own language, own words beside it, or both.
import type { DeclineCode } from '@broadgate/contract/delivery.ts';
import { directionOf, type Locale, matchLocale } from '@broadgate/languages';
import { loadArea } from '@broadgate/languages/catalogue-chunks.ts';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useId, useState } from 'react';
import { api, problemOf } from '../api/client.ts';
import type { DeliveryRequest } from '../api/operations.ts';
import { Button } from '../design/button.tsx';
import { Dialog } from '../design/dialog.tsx';
import { Field } from '../design/field.tsx';
import { Select } from '../design/select.tsx';
import { Refused } from '../design/states.tsx';
import { Text, useFormats, useProblemText, useText } from '../language/text.tsx';
import { useAction } from './action.ts';
import styles from './desk.module.css';

// In the order in which they are offered; the compiler says when the contract has another.
const codes = Object.keys({
  key_unconfirmed: 0,
  address_unconfirmed: 0,
  address_shared: 0,
  client_not_reached: 0,
  incomplete: 0,
  handed_in_twice: 0,
  asked_by_client: 0,
  other: 0,
} satisfies Record<DeclineCode, 0>) as DeclineCode[];

const reasonLengthMax = 500;

interface DeclineDialogProps {
  readonly request: DeliveryRequest;
  readonly onClose: () => void;
}

export function DeclineDialog({ request, onClose }: DeclineDialogProps): ReactNode {
  const text = useText();
  const formats = useFormats();
  const formId = useId();
  const [code, setCode] = useState<DeclineCode>();
  const [reason, setReason] = useState('');
  const locale = useLocaleOf(request.clientId);
  const language = locale === undefined ? '' : formats.language(locale);
  const decline = useAction({
    act: () =>
      api.post(
        '/v1/delivery-desk/requests/{requestId}/decline',
        { ...(code && { code }), ...(reason.trim() !== '' && { reason: reason.trim() }) },
        { params: { requestId: request.id } },
      ),
    touches: /delivery/,
    done: text('desk.decline.done'),
    onDone: onClose,
  });
  const isAboutReason = problemOf(decline.error)?.code === 'delivery_reason_missing';
  const says = useProblemText(decline.error);

  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    decline.mutate();
  }

  return (
    <Dialog
      title={text('desk.decline.title', { kind: text(`word.request_kind.${request.kind}`) })}
      isOpen
      onClose={onClose}
      actions={
        <>
          <Button onPress={onClose}>{text('design.cancel')}</Button>
          <Button variant="danger" type="submit" form={formId} isPending={decline.isPending}>
            {text('desk.decline')}
          </Button>
        </>
      }
    >
      {decline.isError && !isAboutReason && <Refused problem={decline.error} />}
      <form id={formId} className={styles.form} onSubmit={submit}>
        <Select
          label={text('desk.decline.code')}
          items={codes.map((id) => ({ id, text: text(`word.decline_code.${id}`) }))}
          value={code}
          onChange={setCode}
          placeholder={text('desk.decline.choose')}
          error={isAboutReason ? says : undefined}
        />
        <Field
          label={text('desk.decline.words')}
          description={<Text id="desk.decline.wordsLead" values={{ language }} />}
          value={reason}
          onChange={setReason}
          maxLength={reasonLengthMax}
          multiline={{ rows: 3 }}
        />
        {locale !== undefined && <Preview locale={locale} code={code} reason={reason.trim()} />}
      </form>
    </Dialog>
  );
}

/** The language that the client reads. */
function useLocaleOf(clientId: string): Locale | undefined {
  const client = useQuery(api.one('/v1/clients/{clientId}', { params: { clientId } }));
  return client.data && matchLocale(client.data.locale);
}

interface PreviewProps {
  readonly locale: Locale;
  readonly code: DeclineCode | undefined;
  readonly reason: string;
}

/** What the client will read, in its own language. */
function Preview({ locale, code, reason }: PreviewProps): ReactNode {
  const words = useQuery({ queryKey: ['words', locale], queryFn: () => loadArea(locale, 'word') });
  const said = code === undefined || code === 'other' ? undefined : words.data?.[`word.decline_code.${code}`];
  if (said === undefined && reason === '') return null;
  return (
    <div role="status">
      <p className={styles.soft}>
        <Text id="desk.decline.preview" />
      </p>
      <blockquote className={styles.quote}>
        {said !== undefined && (
          <p lang={locale} dir={directionOf(locale)}>
            {said}
          </p>
        )}
        {reason !== '' && <p dir="auto">{reason}</p>}
      </blockquote>
    </div>
  );
}
