// Issues one statement or document: a file for an account, with its kind and period.
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, type ReactNode, useRef, useState } from 'react';
import { api, problemOf } from '../api/client.ts';
import { Button } from '../design/button.tsx';
import { Field } from '../design/field.tsx';
import { FileDrop } from '../design/file-drop.tsx';
import { PageTitle } from '../design/page-title.tsx';
import { Select } from '../design/select.tsx';
import { Refused } from '../design/states.tsx';
import { PageLink } from '../frame/open-pages.tsx';
import { Text, useFormats, useProblemText, useText } from '../language/text.tsx';
import { useAction } from './action.ts';
import styles from './desk.module.css';
import { hashFile } from './file-hash.ts';

const kinds = ['daily', 'monthly', 'annual', 'confirmation', 'document'] as const;
type Kind = (typeof kinds)[number];
type Place = 'account' | 'period' | 'file';

/** Which field a refusal is about. */
const placeOf: Readonly<Record<string, Place>> = {
  account_unknown: 'account',
  statement_period_invalid: 'period',
  statement_extension_invalid: 'file',
  statement_empty: 'file',
  statement_too_large: 'file',
  statement_hash_differs: 'file',
};

export default function IssueStatement(): ReactNode {
  const text = useText();
  const formats = useFormats();
  const navigate = useNavigate();
  const [account, setAccount] = useState('');
  const [kind, setKind] = useState<Kind>('daily');
  const [period, setPeriod] = useState('');
  const [title, setTitle] = useState('');
  const [file, setFile] = useState<File>();
  const [missing, setMissing] = useState<ReadonlySet<Place>>(new Set());
  // The same press sent again after a lost answer issues nothing twice; another form is another request.
  const sent = useRef({ form: '', requestId: '' });

  const issue = useAction({
    async act() {
      const sha256 = await hashFile(file!);
      const query = {
        account: account.trim(),
        kind,
        period: period.trim(),
        file: file!.name,
        title: title.trim(),
        sha256,
      };
      const form = JSON.stringify(query);
      if (sent.current.form !== form) sent.current = { form, requestId: crypto.randomUUID() };
      const body = file!.slice(0, file!.size, 'application/octet-stream');
      return api.post('/v1/delivery-desk/statements', body, { query, requestId: sent.current.requestId });
    },
    touches: /statements|retention/,
    done: text('desk.issue.done'),
    onDone: ({ id }) => void navigate({ to: '/desk/statements/$statementId', params: { statementId: id } }),
  });
  const place = placeOf[problemOf(issue.error)?.code ?? ''];
  const says = useProblemText(issue.error);
  const errorOf = (at: Place): string | undefined =>
    missing.has(at)
      ? text(at === 'file' ? 'desk.file.missing' : 'word.field_fault.missing')
      : place === at
        ? says
        : undefined;

  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    const empty = new Set<Place>();
    if (account.trim() === '') empty.add('account');
    if (period.trim() === '') empty.add('period');
    if (file === undefined) empty.add('file');
    setMissing(empty);
    if (empty.size === 0) issue.mutate();
  }

  return (
    <>
      <PageTitle
        title={text('page.deskIssue')}
        lead={<Text id="desk.issue.lead" />}
        back={
          <PageLink path="/desk/statements">
            <Text id="page.deskStatements" />
          </PageLink>
        }
      />
      {issue.isError && place === undefined && <Refused problem={issue.error} />}
      <form className={styles.form} onSubmit={submit}>
        <Field
          label={text('desk.account')}
          value={account}
          onChange={setAccount}
          maxLength={32}
          isRequired
          error={errorOf('account')}
        />
        <Select
          label={text('desk.statement.kind')}
          items={kinds.map((id) => ({ id, text: text(`word.statement_kind.${id}`) }))}
          value={kind}
          onChange={setKind}
        />
        <Field
          label={text('desk.period')}
          description={text('desk.issue.periodLead')}
          value={period}
          onChange={setPeriod}
          maxLength={21}
          isRequired
          isCode
          error={errorOf('period')}
        />
        <Field
          label={text('desk.issue.title')}
          description={text('desk.issue.titleLead')}
          value={title}
          onChange={setTitle}
          maxLength={120}
        />
        <FileDrop
          label={text('desk.file')}
          accept=""
          onFile={setFile}
          error={errorOf('file')}
          description={
            file === undefined ? (
              text('desk.issue.fileLead')
            ) : (
              <>
                <bdi>{file.name}</bdi> · {formats.bytes(file.size)}
              </>
            )
          }
        />
        <div>
          <Button variant="primary" type="submit" isPending={issue.isPending}>
            {text('desk.issue.submit')}
          </Button>
        </div>
      </form>
    </>
  );
}
