// Chooses the account that the pages show, for a client who has several.
import type { ReactNode } from 'react';
import { useMe } from '../api/me.ts';
import { Icon } from '../design/icons.tsx';
import { Menu } from '../design/menu.tsx';
import { useText } from '../language/text.tsx';
import { chooseAccount, useAccount } from './account.ts';

export function AccountSwitcher(): ReactNode {
  const text = useText();
  const { accountNumbers } = useMe();
  const chosen = useAccount();
  if (accountNumbers.length < 2) return null;
  const all = text('frame.account.all');
  const entries = [
    { id: 'all', text: all, isCurrent: chosen === undefined, onAction: () => chooseAccount(undefined) },
    ...accountNumbers.map((number) => ({
      id: `account-${number}`,
      text: number,
      isCurrent: number === chosen,
      onAction: () => chooseAccount(number),
    })),
  ];
  const shown = chosen ?? all;
  return (
    <Menu
      label={text('frame.account.label', { account: shown })}
      groups={[{ id: 'accounts', title: text('frame.account.title'), entries }]}
    >
      <bdi>{shown}</bdi>
      <Icon name="down" />
    </Menu>
  );
}
