// The icons of the portal, drawn on a grid of 20: lines of one width in the colour of the text beside them.
import type { ReactNode } from 'react';
import styles from './icons.module.css';

const paths = {
  account: 'M3 16.5h14M4.5 16.5V8L10 4l5.5 4v8.5M8 16.5V11h4v5.5',
  add: 'M10 4v12M4 10h12',
  address: 'M10 17.5s5.5-4.8 5.5-9.2a5.5 5.5 0 0 0-11 0c0 4.4 5.5 9.2 5.5 9.2ZM10 10.2a2 2 0 1 0 0-4 2 2 0 0 0 0 4',
  back: 'M12 4.5 6.5 10l5.5 5.5',
  bell: 'M5 14h10l-1.2-2V9a3.8 3.8 0 0 0-7.6 0v3L5 14ZM8.5 16.5h3',
  calendar: 'M3.5 5.5h13v11h-13zM3.5 9h13M7 3.5v3.5M13 3.5v3.5',
  check: 'm4.5 10.5 3.7 3.7 7.3-8',
  clock: 'M10 16.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13ZM10 6.5V10l2.5 1.8',
  close: 'm5 5 10 10M15 5 5 15',
  copy: 'M7.5 7.5h9v9h-9zM4.5 12.5h-1v-9h9v1',
  desk: 'M3.5 11.5v5h13v-5l-2.5-8H6l-2.5 8ZM3.5 11.5h4l1 2h3l1-2h4',
  document: 'M5 3h6.5L15 6.5V17H5zM11.5 3v3.5H15M7.5 10.5h5M7.5 13.5h5',
  down: 'm4.5 7.5 5.5 5.5 5.5-5.5',
  download: 'M10 3.5v9M6.5 9l3.5 3.5L13.5 9M4 16.5h12',
  error: 'M10 16.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13ZM7.7 7.7l4.6 4.6M12.3 7.7l-4.6 4.6',
  external: 'M11.5 3.5h5v5M16.5 3.5 9.5 10.5M14 11v5.5H3.5V6H9',
  eye: 'M2.5 10S5.5 5 10 5s7.5 5 7.5 5-3 5-7.5 5-7.5-5-7.5-5ZM10 12a2 2 0 1 0 0-4 2 2 0 0 0 0 4',
  filter: 'M3.5 5.5h13M6 10h8M8.5 14.5h3',
  folder: 'M3 5h5l1.5 2H17v9H3z',
  forward: 'M8 4.5 13.5 10 8 15.5',
  globe: 'M10 16.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13ZM3.5 10h13M10 3.5c4 4 4 9 0 13-4-4-4-9 0-13',
  help: 'M10 16.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13ZM8 8.2a2 2 0 1 1 2.9 1.8c-.6.3-.9.7-.9 1.3M10 13.3v.2',
  home: 'M3.5 9.5 10 4l6.5 5.5M5.5 8v8.5h9V8',
  info: 'M10 16.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13ZM10 9.3v4M10 6.6v.2',
  key: 'M7 13.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM10.5 10h6.5M14 10v3M16.5 10v2',
  list: 'M7 5.5h9.5M7 10h9.5M7 14.5h9.5M3.5 5.5h.5M3.5 10h.5M3.5 14.5h.5',
  lock: 'M4.5 9h11v7.5h-11zM7 9V6.5a3 3 0 0 1 6 0V9',
  menu: 'M3.5 5.5h13M3.5 10h13M3.5 14.5h13',
  more: 'M4 9.5h1v1H4zM9.5 9.5h1v1h-1zM15 9.5h1v1h-1z',
  offline: 'M3 7.5a10 10 0 0 1 14 0M5.7 10.5a6 6 0 0 1 8.6 0M10 14.5v.01M4 16.5l12-13',
  person: 'M10 10a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4ZM3.8 16.8c.4-3 2.9-4.8 6.2-4.8s5.8 1.8 6.2 4.8',
  print: 'M6 7V3.5h8V7M6 13.5H3.5V7h13v6.5H14M6 11.5h8v5H6z',
  refresh: 'M15.5 8A6 6 0 1 0 16 11.5M16 4v4h-4',
  search: 'M9 14a5 5 0 1 0 0-10 5 5 0 0 0 0 10ZM12.7 12.7l3.8 3.8',
  settings:
    'M3.5 6.5h6M13.5 6.5h3M3.5 13.5h3M10.5 13.5h6M11.5 8.5a2 2 0 1 0 0-4 2 2 0 0 0 0 4ZM8.5 15.5a2 2 0 1 0 0-4 2 2 0 0 0 0 4Z',
  shield: 'M10 3 4.5 5v5c0 3.5 2.5 5.8 5.5 7 3-1.2 5.5-3.5 5.5-7V5z',
  sign_out: 'M9 3.5H4v13h5M8 10h9M13.5 6.5 17 10l-3.5 3.5',
  sort_down: 'M10 4v12M5.5 11.5 10 16l4.5-4.5',
  sort_up: 'M10 16V4M5.5 8.5 10 4l4.5 4.5',
  trash: 'M4 5.5h12M8 5.5v-2h4v2M5.5 5.5l.7 11h7.6l.7-11M8.5 8.5v5M11.5 8.5v5',
  upload: 'M10 13V4M6.5 7.5 10 4l3.5 3.5M4 16.5h12',
  warning: 'M10 3.5 2.5 16.5h15zM10 8.5v4M10 14.3v.2',
} as const;

export type IconName = keyof typeof paths;
export const iconNames = Object.keys(paths) as readonly IconName[];

// These point along the line of writing and turn round with it.
const directed: ReadonlySet<IconName> = new Set(['back', 'forward', 'external', 'list', 'sign_out']);

/** A drawing that adds to a text and never stands for one: it has no name of its own. */
export function Icon({ name }: { name: IconName }): ReactNode {
  return (
    <svg className={directed.has(name) ? styles.directed : styles.icon} viewBox="0 0 20 20" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  );
}

/** Head and shoulders in a circle: the sign of the user menu. */
export function Avatar(): ReactNode {
  return (
    <span className={styles.avatar}>
      <Icon name="person" />
    </span>
  );
}
