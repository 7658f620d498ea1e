// XML as a tree whose branches open; what is in a branch is drawn when it is opened.
import { type ReactNode, useMemo, useState } from 'react';
import { useText } from '../language/text.tsx';
import styles from './statements.module.css';
import { parseXml, type XmlElement } from './xml.ts';

const childrenShownMax = 500;

export function XmlView({ content }: { readonly content: string }): ReactNode {
  const text = useText();
  const root = useMemo(() => parseXml(content), [content]);
  if (root === undefined) return <p className={styles.note}>{text('statements.xmlNotReadable')}</p>;
  return (
    <div
      className={`${styles.scroll} ${styles.tree}`}
      dir="ltr"
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reached by keyboard
      tabIndex={0}
      role="group"
      aria-label={text('statements.preview')}
    >
      <Branch element={root} depth={0} />
    </div>
  );
}

function Branch({ element, depth }: { readonly element: XmlElement; readonly depth: number }): ReactNode {
  const text = useText();
  const [isOpen, setOpen] = useState(depth < 2);
  const { children } = element;
  if (children.length === 0) return <Head element={element} />;
  return (
    <details open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <Head element={element} />
      </summary>
      {isOpen && (
        <ul>
          {children.slice(0, childrenShownMax).map((child, index) => (
            // oxlint-disable-next-line react/no-array-index-key -- elements have a place and no other name
            <li key={index}>
              <Branch element={child} depth={depth + 1} />
            </li>
          ))}
          {children.length > childrenShownMax && (
            <li className={styles.note}>
              {text('statements.rowsShown', { shown: childrenShownMax, count: children.length })}
            </li>
          )}
        </ul>
      )}
    </details>
  );
}

const Head = ({ element: { name, attributes, text } }: { readonly element: XmlElement }): ReactNode => (
  <span>
    <span className={styles.element}>{name}</span>
    {attributes.map(([attribute, value]) => (
      <span key={attribute}>
        {' '}
        <span className={styles.attribute}>{attribute}=</span>
        <bdi>{value}</bdi>
      </span>
    ))}
    {text !== '' && (
      <>
        {' '}
        <bdi>{text}</bdi>
      </>
    )}
  </span>
);
