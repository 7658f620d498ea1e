// Runs: many statements handed over at once as a tar, tried first or issued at once, and those that were handed over before.
import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, type ReactNode, useMemo, useState } from 'react';
import { api, problemOf } from '../api/client.ts';
import type { Run } from '../api/operations.ts';
import { Button } from '../design/button.tsx';
import { Checkbox } from '../design/choices.tsx';
import { Field } from '../design/field.tsx';
import { FileDrop } from '../design/file-drop.tsx';
import { PageTitle } from '../design/page-title.tsx';
import { Section } from '../design/section.tsx';
import { Empty, Refused } from '../design/states.tsx';
import { StatusMark } from '../design/status-mark.tsx';
import type { TableColumn } from '../design/table.tsx';
import { PageLink } from '../frame/open-pages.tsx';
import { Text, useFormats, useProblemText, useText } from '../language/text.tsx';
import { useAction } from './action.ts';
import styles from './desk.module.css';
import { ListTable } from './list-table.tsx';
import { runTones } from './tones.ts';

const keyOf = ({ id }: Run): string => id;
const aboutReference = new Set(['run_reference_invalid', 'run_reused', 'run_receiving']);

export default function Runs(): ReactNode {
  const text = useText();
  const navigate = useNavigate();
  const runs = useInfiniteQuery(api.list('/v1/runs'));
  const columns = useColumns();
  return (
    <>
      <PageTitle title={text('page.deskRuns')} lead={<Text id="desk.runs.lead" />} />
      <StartRun />
      <Section title={text('desk.runs.list')}>
        <ListTable
          label={text('desk.runs.list')}
          list={runs}
          columns={columns}
          rowKey={keyOf}
          onAction={({ id }) => void navigate({ to: '/desk/runs/$runId', params: { runId: id } })}
          empty={<Empty title={text('desk.runs.empty')} icon="folder" />}
        />
      </Section>
    </>
  );
}

function StartRun(): ReactNode {
  const text = useText();
  const formats = useFormats();
  const navigate = useNavigate();
  const [reference, setReference] = useState('');
  const [isDryRun, setDryRun] = useState(true);
  const [file, setFile] = useState<File>();
  const [isAsked, setAsked] = useState(false);
  const start = useAction({
    act: () =>
      api.post('/v1/runs', file!.slice(0, file!.size, 'application/x-tar'), {
        query: { reference: reference.trim(), dryRun: isDryRun },
      }),
    touches: /runs|statements/,
    onDone: ({ id }) => void navigate({ to: '/desk/runs/$runId', params: { runId: id } }),
  });
  const isAboutReference = aboutReference.has(problemOf(start.error)?.code ?? '');
  const says = useProblemText(start.error);
  const missing = text('word.field_fault.missing');

  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    setAsked(true);
    if (reference.trim() !== '' && file !== undefined) start.mutate();
  }

  return (
    <Section title={text('desk.runs.start')} lead={text('desk.runs.startLead')}>
      {start.isError && !isAboutReference && <Refused problem={start.error} />}
      <form className={styles.form} onSubmit={submit}>
        <Field
          label={text('desk.run.reference')}
          description={text('desk.run.referenceLead')}
          value={reference}
          onChange={setReference}
          maxLength={64}
          isRequired
          isCode
          error={isAsked && reference.trim() === '' ? missing : isAboutReference ? says : undefined}
        />
        <FileDrop
          label={text('desk.run.file')}
          accept=".tar"
          onFile={setFile}
          error={isAsked && file === undefined ? text('desk.file.missing') : undefined}
          description={
            file === undefined ? (
              text('desk.run.fileLead')
            ) : (
              <>
                <bdi>{file.name}</bdi> · {formats.bytes(file.size)}
              </>
            )
          }
        />
        <Checkbox
          label={text('desk.run.dry')}
          description={text('desk.run.dryLead')}
          value={isDryRun}
          onChange={setDryRun}
        />
        <div>
          <Button variant="primary" type="submit" isPending={start.isPending}>
            {text(isDryRun ? 'desk.run.check' : 'desk.run.start')}
          </Button>
        </div>
      </form>
    </Section>
  );
}

function useColumns(): readonly TableColumn<Run>[] {
  const text = useText();
  const formats = useFormats();
  return useMemo(
    () => [
      {
        id: 'reference',
        title: text('desk.run.reference'),
        isRowHeader: true,
        width: 'minmax(10rem, 2fr)',
        render: ({ id, reference }) => (
          <PageLink path="/desk/runs/$runId" params={{ runId: id }}>
            <bdi>{reference}</bdi>
          </PageLink>
        ),
      },
      {
        id: 'state',
        title: text('desk.state'),
        width: '9rem',
        render: ({ state }) => <StatusMark tone={runTones[state]} text={text(`word.run_state.${state}`)} />,
      },
      {
        id: 'sort',
        title: text('desk.run.sort'),
        width: '8rem',
        render: ({ isDryRun }) => text(isDryRun ? 'desk.run.isDry' : 'desk.run.isReal'),
      },
      {
        id: 'rows',
        title: text('desk.run.rows'),
        align: 'end',
        width: '6rem',
        render: ({ rows }) => formats.number(rows.total),
      },
      {
        id: 'failed',
        title: text('desk.run.failed'),
        align: 'end',
        width: '6rem',
        render: ({ rows }) => formats.number(rows.failed),
      },
      {
        id: 'begun',
        title: text('desk.run.begunAt'),
        width: 'minmax(13rem, 1fr)',
        render: ({ begunAt }) => formats.instant(begunAt),
      },
    ],
    [text, formats],
  );
}
