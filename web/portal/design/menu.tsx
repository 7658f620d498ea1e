// A button that opens a list of actions and links.
import type { ReactNode } from 'react';
import { Button as AriaButton } from 'react-aria-components/Button';
import { Header } from 'react-aria-components/Header';
import { Menu as AriaMenu, MenuItem, MenuSection, MenuTrigger } from 'react-aria-components/Menu';
import { Popover } from 'react-aria-components/Popover';
import buttonStyles from './button.module.css';
import { Icon, type IconName } from './icons.tsx';
import styles from './menu.module.css';

export interface MenuEntry {
  readonly id: string;
  readonly text: string;
  /** The language of the text, where it is not the page's. */
  readonly lang?: string;
  readonly detail?: string;
  readonly icon?: IconName;
  readonly href?: string;
  readonly onAction?: () => void;
  readonly isCurrent?: boolean;
  readonly isDanger?: boolean;
}

export interface MenuGroup {
  readonly id: string;
  readonly title: string;
  readonly entries: readonly MenuEntry[];
}

interface MenuProps {
  /** What the button opens, with the name of what the actions are for: "Actions for key ed25519". */
  readonly label: string;
  readonly groups: readonly MenuGroup[];
  /** What the button shows; three dots where nothing is given. */
  readonly children?: ReactNode;
}

export function Menu({ label, groups, children }: MenuProps): ReactNode {
  return (
    <MenuTrigger>
      <AriaButton
        aria-label={label}
        className={`${buttonStyles.button} ${children ? styles.trigger : buttonStyles.icon}`}
      >
        {children ?? <Icon name="more" />}
      </AriaButton>
      <Popover className={styles.popover ?? ''} offset={4} placement="bottom end">
        <AriaMenu className={styles.list ?? ''}>
          {groups.map((group) => (
            <MenuSection key={group.id} className={styles.group ?? ''} aria-label={group.title}>
              {group.title !== '' && <Header className={styles.title ?? ''}>{group.title}</Header>}
              {group.entries.map((entry) => (
                <Entry key={entry.id} entry={entry} />
              ))}
            </MenuSection>
          ))}
        </AriaMenu>
      </Popover>
    </MenuTrigger>
  );
}

function Entry({ entry }: { entry: MenuEntry }): ReactNode {
  const { id, text, lang, detail, icon, href, onAction, isCurrent, isDanger } = entry;
  return (
    <MenuItem
      id={id}
      textValue={text}
      className={`${styles.item} ${isDanger ? styles.danger : ''}`}
      {...(href !== undefined && { href })}
      {...(onAction && { onAction })}
      {...(isCurrent && { 'aria-current': 'true' as const })}
    >
      {icon && <Icon name={icon} />}
      <span className={styles.text} lang={lang}>
        {text}
        {detail !== undefined && <span className={styles.detail}>{detail}</span>}
      </span>
      {isCurrent && <Icon name="check" />}
    </MenuItem>
  );
}
