// The table where there is no width for columns: a card for each row, drawn further as the reader comes near the end.
import { type ReactNode, useCallback, useId, useState } from 'react';
import { useText } from '../language/text.tsx';
import { Button } from './button.tsx';
import { Checkbox, TickBox } from './choices.tsx';
import { Select } from './select.tsx';
import styles from './table-cards.module.css';
import { More, useMoreAsked } from './table-more.tsx';
import type { TableColumn, TableProps } from './table.tsx';

const cardsFirst = 40;
const cardsMore = 80;

export function TableCards<Row extends object>(props: TableProps<Row>): ReactNode {
  const { label, columns, rows, rowKey, selection, sort, onSort, loadMore } = props;
  const text = useText();
  const [drawn, setDrawn] = useState(cardsFirst);
  const [isNear, setNear] = useState(false);
  const watchEnd = useCallback((end: HTMLDivElement) => {
    const observer = new IntersectionObserver(([entry]) => setNear(entry?.isIntersecting === true), {
      rootMargin: '200% 0px',
    });
    observer.observe(end);
    return () => observer.disconnect();
  }, []);

  const canGrow = drawn < rows.length;
  if (isNear && canGrow) {
    setNear(false);
    setDrawn(drawn + cardsMore);
  }
  useMoreAsked(isNear && !canGrow, rows.at(-1) ?? null, loadMore);

  const sortable = columns.filter((column) => column.sortable);
  const isAll = selection !== undefined && selection.selected.size >= rows.length;
  return (
    <div className={styles.cards}>
      {(sortable.length > 0 || selection) && (
        <div className={styles.tools}>
          {selection && (
            <Checkbox
              label={text('design.selectAll')}
              value={isAll}
              isIndeterminate={!isAll && selection.selected.size > 0}
              onChange={(all) => selection.onChange(new Set(all ? rows.map(rowKey) : []))}
            />
          )}
          {onSort && sortable.length > 0 && (
            <Select
              label={text('design.sortBy')}
              items={sortable.flatMap(({ id, title }) =>
                directions.map((direction) => ({
                  id: `${direction}:${id}`,
                  text: text(`design.${direction}`, { title }),
                })),
              )}
              value={sort && `${sort.direction}:${sort.columnId}`}
              onChange={(id) => {
                const direction = directions.find((one) => id.startsWith(one))!;
                onSort({ columnId: id.slice(direction.length + 1), direction });
              }}
            />
          )}
        </div>
      )}
      {/* WebKit takes a list without marks for no list, unless the role is said. */}
      {/* oxlint-disable-next-line jsx-a11y/no-redundant-roles */}
      <ul role="list" aria-label={label}>
        {rows.slice(0, drawn).map((row) => (
          <Card key={rowKey(row)} row={row} {...props} />
        ))}
      </ul>
      {/* An end that stays in view tells of itself only once, so it is a new one each time. */}
      <div key={drawn} ref={watchEnd} />
      {loadMore && <More isLoading={loadMore.isLoading} />}
    </div>
  );
}

const directions = ['ascending', 'descending'] as const;

function Card<Row extends object>({
  row,
  columns,
  rowKey,
  onAction,
  selection,
}: TableProps<Row> & { row: Row }): ReactNode {
  const text = useText();
  const id = useId();
  const key = rowKey(row);
  const isHead = (column: TableColumn<Row>, index: number): boolean =>
    columns.some((one) => one.isRowHeader) ? column.isRowHeader === true : index === 0;
  const select = (isSelected: boolean): void => {
    const next = new Set(selection!.selected);
    if (isSelected) next.add(key);
    else next.delete(key);
    selection!.onChange(next);
  };
  return (
    <li className={styles.card}>
      <div className={styles.head}>
        <div id={id} className={styles.name}>
          {columns.filter(isHead).map((column) => (
            <div key={column.id}>{column.render(row)}</div>
          ))}
        </div>
        {selection && <TickBox aria-labelledby={id} isSelected={selection.selected.has(key)} onChange={select} />}
      </div>
      <dl className={styles.facts}>
        {columns.map((column, index) =>
          isHead(column, index) ? null : (
            <div key={column.id} className={styles.fact}>
              <dt className={column.isTitleHidden ? styles.hidden : ''}>{column.title}</dt>
              <dd>{column.render(row)}</dd>
            </div>
          ),
        )}
      </dl>
      {onAction && (
        <Button onPress={() => onAction(row)} aria-describedby={id}>
          {text('design.open')}
        </Button>
      )}
    </li>
  );
}
