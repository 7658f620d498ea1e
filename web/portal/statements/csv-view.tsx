// CSV as it is meant: a table, or one for each section where the first cell of every row names one.
import type { ReactNode } from 'react';
import { useText } from '../language/text.tsx';
import { type CsvTable, parseCsv, readTables } from './csv.ts';
import styles from './statements.module.css';

const rowsShownMax = 200;
const figure = /^-?[\d,.\s]*\d%?$/;

export function CsvView({ content }: { readonly content: string }): ReactNode {
  return readTables(parseCsv(content)).map((table, index) => (
    // The tables of a file stay as they are.
    // oxlint-disable-next-line react/no-array-index-key
    <Sheet key={index} table={table} />
  ));
}

function Sheet({ table: { name, head, rows } }: { readonly table: CsvTable }): ReactNode {
  const text = useText();
  const label = name ?? text('statements.preview');
  return (
    <>
      {name !== undefined && <h3 dir="auto">{name}</h3>}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reached by keyboard */}
      <div className={styles.scroll} tabIndex={0} role="group" aria-label={label} dir="ltr">
        <table className={styles.sheet}>
          <thead>
            <tr>
              {head.map((cell, column) => (
                // oxlint-disable-next-line react/no-array-index-key -- columns have a place and no other name
                <th key={column} scope="col">
                  {cell}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, rowsShownMax).map((cells, row) => (
              // oxlint-disable-next-line react/no-array-index-key -- rows have a place and no other name
              <tr key={row}>
                {cells.map((cell, column) => (
                  // oxlint-disable-next-line react/no-array-index-key -- columns have a place and no other name
                  <td key={column} className={figure.test(cell) ? styles.figure : undefined}>
                    {cell}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {rows.length > rowsShownMax && (
        <p className={styles.note}>{text('statements.rowsShown', { shown: rowsShownMax, count: rows.length })}</p>
      )}
    </>
  );
}
