// The list of a menu, loaded when the first one is opened.
import type { ReactNode, RefObject } from 'react';
import { Header } from 'react-aria-components/Header';
import { Menu as AriaMenu, MenuItem, MenuSection } from 'react-aria-components/Menu';
import { Popover } from 'react-aria-components/Popover';
import { Icon } from './icons.tsx';
import type { MenuEntry, MenuGroup } from './menu.tsx';
import styles from './menu.module.css';

interface MenuListProps {
  readonly label: string;
  readonly groups: readonly MenuGroup[];
  /** What it opens beside, and where the focus goes back to. */
  readonly trigger: RefObject<HTMLElement | null>;
  readonly onClose: () => void;
}

export function MenuList({ label, groups, trigger, onClose }: MenuListProps): ReactNode {
  return (
    <Popover
      className={styles.popover ?? ''}
      aria-label={label}
      offset={4}
      placement="bottom end"
      isOpen
      triggerRef={trigger}
      onOpenChange={(isOpen) => {
        if (!isOpen) onClose();
      }}
    >
      {/* oxlint-disable-next-line jsx-a11y/no-autofocus -- a menu that opens takes the focus (ARIA practices, menu button) */}
      <AriaMenu className={styles.list ?? ''} aria-label={label} autoFocus="first" onClose={onClose}>
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
