// A button that opens a list of actions and links.
import { lazy, type ReactNode, Suspense, useRef, useState } from 'react';
import { Button as AriaButton } from 'react-aria-components/Button';
import buttonStyles from './button.module.css';
import { Icon, type IconName } from './icons.tsx';
import styles from './menu.module.css';

const load = () => import('./menu-list.tsx');
const MenuList = lazy(async () => ({ default: (await load()).MenuList }));

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

/** The list itself weighs more than all else of the frame, so it comes when somebody is about to open one. */
export function Menu({ label, groups, children }: MenuProps): ReactNode {
  const trigger = useRef<HTMLButtonElement>(null);
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <AriaButton
        ref={trigger}
        aria-label={label}
        aria-haspopup="true"
        aria-expanded={isOpen}
        className={`${buttonStyles.button} ${children ? styles.trigger : buttonStyles.icon}`}
        onHoverStart={() => void load()}
        onFocus={() => void load()}
        onPress={() => setOpen(true)}
        onKeyDown={(event) => {
          if (event.key === 'ArrowDown' || event.key === 'ArrowUp') setOpen(true);
        }}
      >
        {children ?? <Icon name="more" />}
      </AriaButton>
      {isOpen && (
        <Suspense>
          <MenuList label={label} groups={groups} trigger={trigger} onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </>
  );
}
