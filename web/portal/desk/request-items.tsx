// What a request holds, item by item: keys with the fingerprints to compare, and addresses.
import type { ComponentType, ReactNode } from 'react';
import type { DeliveryAddress, DeliveryRequest, OpenPgpKey, SshKey } from '../api/operations.ts';
import { StatusMark } from '../design/status-mark.tsx';
import { useFormats, useText } from '../language/text.tsx';
import styles from './desk.module.css';
import { addressTones, certificateTones, sshKeyTones } from './tones.ts';

type Items = Pick<DeliveryRequest, 'sshKeys' | 'openPgpKeys' | 'addresses'>;

export function RequestItems({
  items,
  label,
  AddressAction,
}: {
  readonly items: Items;
  readonly label: string;
  /** What can be done with an address. */
  readonly AddressAction?: ComponentType<{ readonly address: DeliveryAddress }>;
}): ReactNode {
  return (
    // oxlint-disable-next-line jsx-a11y/no-redundant-roles -- WebKit takes a list without marks for no list
    <ul role="list" aria-label={label}>
      {items.sshKeys.map((key) => (
        <SshKeyRow key={key.id} sshKey={key} />
      ))}
      {items.openPgpKeys.map((key) => (
        <OpenPgpKeyRow key={key.id} openPgpKey={key} />
      ))}
      {items.addresses.map((address) => (
        <AddressRow key={address.id} address={address}>
          {AddressAction && <AddressAction address={address} />}
        </AddressRow>
      ))}
    </ul>
  );
}

function SshKeyRow({ sshKey }: { readonly sshKey: SshKey }): ReactNode {
  const text = useText();
  const formats = useFormats();
  const { algorithm, bits, comment, expiresAt } = sshKey;
  const details = [
    algorithm,
    bits !== null && text('desk.key.bits', { bits }),
    text(`word.purpose.${sshKey.purpose}`),
    expiresAt !== null && text('desk.key.ends', { at: formats.instant(expiresAt) }),
  ].filter((each) => typeof each === 'string');
  return (
    <li className={styles.item}>
      <div className={styles.itemFacts}>
        <p className={styles.name}>{text('word.key_sort.ssh')}</p>
        <Fingerprint value={sshKey.fingerprint} />
        <p className={styles.soft}>{details.join(' · ')}</p>
        {comment !== null && comment !== '' && (
          <p className={styles.soft}>
            {text('desk.key.comment')} <bdi>{comment}</bdi>
          </p>
        )}
        <KeyReason reason={sshKey.reason} />
      </div>
      <StatusMark tone={sshKeyTones[sshKey.state]} text={text(`word.ssh_key_state.${sshKey.state}`)} />
    </li>
  );
}

function OpenPgpKeyRow({ openPgpKey }: { readonly openPgpKey: OpenPgpKey }): ReactNode {
  const text = useText();
  const formats = useFormats();
  const { algorithm, userIds, expiresAt } = openPgpKey;
  const details = [
    algorithm,
    text(`word.purpose.${openPgpKey.purpose}`),
    expiresAt !== null && text('desk.key.ends', { at: formats.instant(expiresAt) }),
  ].filter((each) => typeof each === 'string');
  return (
    <li className={styles.item}>
      <div className={styles.itemFacts}>
        <p className={styles.name}>{text('word.key_sort.openpgp')}</p>
        <Fingerprint value={openPgpKey.fingerprint} />
        <p className={styles.soft}>{details.join(' · ')}</p>
        {userIds.map((userId) => (
          <p key={userId} className={styles.soft}>
            <bdi>{userId}</bdi>
          </p>
        ))}
        <KeyReason reason={openPgpKey.reason} />
      </div>
      <StatusMark tone={certificateTones[openPgpKey.state]} text={text(`word.certificate_state.${openPgpKey.state}`)} />
    </li>
  );
}

function Fingerprint({ value }: { readonly value: string | null }): ReactNode {
  if (value === null) return null;
  return (
    <p className={styles.code}>
      <bdi dir="ltr">{value}</bdi>
    </p>
  );
}

/** Words of a person; what the server noted by a code has a state that says it. */
function KeyReason({ reason }: { readonly reason: string | null }): ReactNode {
  if (reason === null || /^[a-z_]+$/.test(reason)) return null;
  return (
    <p className={styles.soft} dir="auto">
      {reason}
    </p>
  );
}

export function AddressRow({
  address,
  children,
}: {
  readonly address: DeliveryAddress;
  readonly children?: ReactNode;
}): ReactNode {
  const text = useText();
  const formats = useFormats();
  return (
    <li className={styles.item}>
      <div className={styles.itemFacts}>
        <p className={styles.name}>{text('desk.address')}</p>
        <p className={styles.code}>
          <bdi dir="ltr">{address.network}</bdi>
        </p>
        <p className={styles.soft}>
          {address.activatedAt === null
            ? text('desk.address.handedIn', { at: formats.instant(address.submittedAt) })
            : text('desk.address.since', { at: formats.instant(address.activatedAt) })}
        </p>
      </div>
      <div className={styles.actions}>
        <StatusMark tone={addressTones[address.state]} text={text(`word.address_state.${address.state}`)} />
        {children}
      </div>
    </li>
  );
}
