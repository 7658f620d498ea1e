// The way to every page that the person may open, by desk; a column beside the page, or behind a button where it is narrow.
import type { TextId } from '@broadgate/languages/text-ids.ts';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Text, useText } from '../language/text.tsx';
import styles from './navigation.module.css';
import { useOpenPages } from './open-pages.tsx';
import type { DeskName, Page } from './page.ts';

interface Group {
  readonly desk: DeskName | undefined;
  readonly pages: readonly Page[];
}

/** Pages for everybody and for clients first, then those of each desk under its name. */
function groupPages(pages: readonly Page[]): Group[] {
  const placed = pages.filter((page) => page.place !== undefined).toSorted((a, b) => a.place! - b.place!);
  const deskOf = ({ who }: Page): DeskName | undefined => (typeof who === 'string' ? undefined : who[0]);
  return [...Map.groupBy(placed, deskOf)]
    .map(([desk, group]) => ({ desk, pages: group }))
    .sort((a, b) => Number(a.desk !== undefined) - Number(b.desk !== undefined));
}

const titleOf = (desk: DeskName): TextId => `word.desk.${desk}`;

export function Navigation({ onFollow }: { readonly onFollow: () => void }): ReactNode {
  const text = useText();
  const groups = groupPages(useOpenPages());
  return (
    <nav className={styles.navigation} aria-label={text('frame.navigation')}>
      {groups.map(({ desk, pages }) => (
        <div key={desk ?? ''} className={styles.group}>
          {desk !== undefined && (
            <h2 className={styles.title} id={`pages-${desk}`}>
              <Text id={titleOf(desk)} />
            </h2>
          )}
          <ul aria-labelledby={desk && `pages-${desk}`}>
            {pages.map((page) => (
              <li key={page.path}>
                <Link
                  to={page.path}
                  className={styles.link}
                  activeOptions={{ exact: page.path === '/', includeSearch: false }}
                  activeProps={{ 'aria-current': 'page' }}
                  onClick={onFollow}
                >
                  <Text id={page.titleId} />
                </Link>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </nav>
  );
}
