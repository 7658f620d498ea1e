// A look at the file in the page: a PDF as it is printed, CSV as tables, XML as a tree. Other files are only to be taken away.
import { useQuery } from '@tanstack/react-query';
import { lazy, type ReactNode, Suspense, useCallback, useEffect, useState } from 'react';
import { api } from '../api/client.ts';
import type { Statement } from '../api/operations.ts';
import { Section } from '../design/section.tsx';
import { Loading, Refused } from '../design/states.tsx';
import { useFormats, useText } from '../language/text.tsx';
import styles from './statements.module.css';

const CsvView = lazy(async () => ({ default: (await import('./csv-view.tsx')).CsvView }));
const XmlView = lazy(async () => ({ default: (await import('./xml-view.tsx')).XmlView }));

/** Units: bytes. Beyond it a page is no good place to read. */
const shownMax = { pdf: 32_000_000, csv: 4_000_000, xml: 4_000_000 } as const;
type Format = keyof typeof shownMax;

const isFormat = (ending: string): ending is Format => Object.hasOwn(shownMax, ending);

export function Preview({ statement }: { readonly statement: Statement }): ReactNode {
  const text = useText();
  const formats = useFormats();
  const ending = statement.name.slice(statement.name.lastIndexOf('.') + 1).toLowerCase();
  if (!isFormat(ending)) return null;
  const max = shownMax[ending];
  return (
    <Section title={text('statements.preview')}>
      {statement.sizeBytes > max ? (
        <p className={styles.note}>{text('statements.previewTooLarge', { size: formats.bytes(max) })}</p>
      ) : (
        <Shown statement={statement} format={ending} />
      )}
    </Section>
  );
}

function Shown({ statement, format }: { readonly statement: Statement; readonly format: Format }): ReactNode {
  const { id } = statement;
  const file = useQuery({
    // An issued file never changes, and each reading of it is on record: it is read once.
    queryKey: ['preview', id],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: ({ signal }) => api.bytes('/v1/statements/{statementId}/file', { params: { statementId: id }, signal }),
  });
  if (file.isError)
    return <Refused problem={file.error} onRetry={() => void file.refetch()} isRetrying={file.isFetching} />;
  if (file.data === undefined) return <Loading />;
  if (format === 'pdf') return <PdfView file={file.data} name={statement.name} />;
  return <TextView file={file.data} format={format} />;
}

/** The browser's own reader, in a frame. NOTE: the type is set here, so that a file never runs as a page of ours. */
function PdfView({ file, name }: { readonly file: Blob; readonly name: string }): ReactNode {
  const text = useText();
  const show = useCallback(
    (frame: HTMLIFrameElement) => {
      const address = URL.createObjectURL(new Blob([file], { type: 'application/pdf' }));
      frame.src = address;
      return () => URL.revokeObjectURL(address);
    },
    [file],
  );
  // Browsers of telephones have no reader for a frame.
  if (!navigator.pdfViewerEnabled) return <p className={styles.note}>{text('statements.previewNoPdf')}</p>;
  // oxlint-disable-next-line react/iframe-missing-sandbox -- browsers read no PDF in a sandbox, and the file is one by its type
  return <iframe ref={show} className={styles.paper} title={name} />;
}

function TextView({ file, format }: { readonly file: Blob; readonly format: 'csv' | 'xml' }): ReactNode {
  const [content, setContent] = useState<string>();
  useEffect(() => {
    let isWanted = true;
    void file.text().then((read) => isWanted && setContent(read.replace(/^\uFEFF/, '')));
    return () => {
      isWanted = false;
    };
  }, [file]);
  if (content === undefined) return <Loading />;
  return (
    <Suspense fallback={<Loading />}>
      {format === 'csv' ? <CsvView content={content} /> : <XmlView content={content} />}
    </Suspense>
  );
}
