// The menu of whoever is signed in, under the head and shoulders at the top: what is about the person, and the way out.
import type { ReactNode } from 'react';
import { api } from '../api/client.ts';
import { useMe } from '../api/me.ts';
import { Avatar, type IconName } from '../design/icons.tsx';
import { Menu } from '../design/menu.tsx';
import { useText } from '../language/text.tsx';
import { useOpenPages } from './open-pages.tsx';

const personal: readonly { readonly path: string; readonly icon: IconName }[] = [
  { path: '/security', icon: 'shield' },
  { path: '/settings', icon: 'settings' },
];

export function UserMenu(): ReactNode {
  const text = useText();
  const { name, login } = useMe();
  const pages = useOpenPages();
  const entries = personal.flatMap(({ path, icon }) => {
    const page = pages.find((each) => each.path === path);
    return page === undefined ? [] : [{ id: path, text: text(page.titleId), href: path, icon }];
  });
  return (
    <Menu
      label={text('frame.user.menu', { name })}
      groups={[
        { id: 'person', title: name === login ? name : `${name} · ${login}`, entries },
        {
          id: 'way-out',
          title: '',
          entries: [
            { id: 'sign-out', text: text('frame.user.signOut'), icon: 'sign_out', onAction: () => void signOut() },
          ],
        },
      ]}
    >
      <Avatar />
    </Menu>
  );
}

/** Leaves even when the server cannot be reached: whoever sits here next must see nothing. */
async function signOut(): Promise<void> {
  try {
    await api.delete('/v1/sign-ins/current');
  } finally {
    location.assign('/sign-in?note=signed-out');
  }
}
