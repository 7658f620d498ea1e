// Examples of what is pressed: buttons, links, menus, dialogs, tabs.
import { lazy, type ReactNode, Suspense, useState } from 'react';
import { Button, IconButton, LinkButton } from '../button.tsx';
import { Avatar } from '../icons.tsx';
import { Menu } from '../menu.tsx';
import { Section } from '../section.tsx';
import { Tabs } from '../tabs.tsx';
import { useToast } from '../toasts.tsx';
import type { Sample } from './sample.ts';
import styles from './showcase.module.css';

const Dialog = lazy(async () => ({ default: (await import('../dialog.tsx')).Dialog }));
const ConfirmDialog = lazy(async () => ({ default: (await import('../dialog.tsx')).ConfirmDialog }));

export function Actions({ sample }: { sample: Sample }): ReactNode {
  const [open, setOpen] = useState<'dialog' | 'confirm'>();
  const toast = useToast();
  const close = (): void => setOpen(undefined);
  return (
    <Section title="Buttons, menus, dialogs, tabs">
      <div className={styles.row}>
        <Button variant="primary">{sample.save}</Button>
        <Button>{sample.cancel}</Button>
        <Button variant="danger">{sample.remove}</Button>
        <Button icon="download">{sample.download}</Button>
        <LinkButton href="#top" icon="forward">
          {sample.account}
        </LinkButton>
        <IconButton icon="trash" label={sample.remove} />
      </div>
      <div className={styles.row}>
        <Button variant="primary" isPending>
          {sample.save}
        </Button>
        <Button isPending>{sample.cancel}</Button>
        <Button variant="primary" isDisabled>
          {sample.save}
        </Button>
        <Button isDisabled>{sample.cancel}</Button>
      </div>
      <div className={styles.row}>
        <Menu
          label={sample.account}
          groups={[
            {
              id: 'account',
              title: sample.account,
              entries: [
                { id: 'one', text: sample.delivered, detail: 'U1234567', isCurrent: true },
                { id: 'two', text: sample.waiting, detail: 'U7654321' },
              ],
            },
            {
              id: 'rest',
              title: '',
              entries: [
                { id: 'settings', text: sample.language, icon: 'settings', href: '#settings' },
                { id: 'remove', text: sample.remove, icon: 'trash', isDanger: true },
              ],
            },
          ]}
        >
          <Avatar />
        </Menu>
        <Menu
          label={`${sample.remove}: ed25519`}
          groups={[{ id: 'all', title: '', entries: [{ id: 'remove', text: sample.remove }] }]}
        />
        <Button onPress={() => setOpen('dialog')}>Dialog</Button>
        <Button onPress={() => setOpen('confirm')}>ConfirmDialog</Button>
        <Button onPress={() => toast({ tone: 'good', text: sample.delivered })}>Toast</Button>
        <Button
          onPress={() => toast({ tone: 'bad', text: sample.wrong, action: { text: sample.cancel, onPress: () => {} } })}
        >
          Toast: bad
        </Button>
      </div>
      <Tabs
        label={sample.language}
        items={[
          { id: 'all', text: sample.monthly, count: '12', content: <p>{sample.sentence}</p> },
          { id: 'new', text: sample.daily, content: <p>{sample.lead}</p> },
          { id: 'old', text: sample.withdrawn, content: <p>{sample.bannerText}</p> },
        ]}
      />
      <Suspense>
        <Dialog
          title={sample.remove}
          isOpen={open === 'dialog'}
          onClose={close}
          actions={
            <Button variant="primary" onPress={close}>
              {sample.save}
            </Button>
          }
        >
          <p>{sample.confirm}</p>
        </Dialog>
        <ConfirmDialog
          title={sample.remove}
          isOpen={open === 'confirm'}
          onClose={close}
          onConfirm={close}
          confirm={sample.remove}
          variant="danger"
        >
          <p>{sample.confirm}</p>
        </ConfirmDialog>
      </Suspense>
    </Section>
  );
}
