// The table of settings: name, meaning, unit, default, check, secret or not. A setting is declared here and nowhere else.
import { availableParallelism } from 'node:os';
import path from 'node:path';
import * as value from './settings-values.ts';
import type { ReadValue } from './settings-values.ts';

export interface SettingRow<Value> {
  /** The environment variable, BROADGATE_… */
  readonly name: string;
  readonly meaning: string;
  readonly read: ReadValue<Value>;
  /** The default as one would write it; undefined when the setting may be absent. */
  readonly default?: string;
  /** How the default is chosen, where it depends on the machine. */
  readonly defaultMeaning?: string;
  readonly unit?: string;
  /** A secret is masked everywhere and may come as NAME_FILE. */
  readonly isSecret?: boolean;
}

export interface Optional {
  readonly default?: undefined;
}

const required = <Value>(row: SettingRow<Value> & { readonly default: string }) => row;
const optional = <Value>(row: SettingRow<Value> & Optional) => row;

/** What `npm run build` writes. */
const builtPortal = path.join(import.meta.dirname, '..', 'web', 'portal', 'dist');

export const table = {
  // The machine
  dataDir: required({
    name: 'BROADGATE_DATA_DIR',
    meaning: 'Folder that holds everything this installation keeps: database, files, keys',
    default: './data',
    read: value.path,
  }),
  databaseUrl: optional({
    name: 'BROADGATE_DATABASE_URL',
    meaning: 'A PostgreSQL server of your own; without it one is started under the data folder',
    read: value.databaseUrl,
    isSecret: true,
  }),
  workers: required({
    name: 'BROADGATE_WORKERS',
    meaning: 'Worker processes that share the ports',
    default: String(Math.min(availableParallelism(), 64)),
    defaultMeaning: 'one a core',
    read: value.integer(1, 64),
  }),
  masterKey: optional({
    name: 'BROADGATE_MASTER_KEY',
    meaning: 'Key that wraps every other key at rest; without it one is made in the data folder',
    read: value.masterKeys,
    isSecret: true,
  }),
  runAs: optional({
    name: 'BROADGATE_RUN_AS',
    meaning: 'User that the workers become when the server is started as root',
    read: value.text,
  }),
  logLevel: required({
    name: 'BROADGATE_LOG_LEVEL',
    meaning: 'Least important lines that are written to the log',
    default: 'info',
    read: value.oneOf('debug', 'info', 'warn', 'error', 'silent'),
  }),
  stopSeconds: required({
    name: 'BROADGATE_STOP_SECONDS',
    meaning: 'Longest wait for running transfers and jobs at stop, before they are cut',
    unit: 's',
    default: '20',
    read: value.integer(0, 600),
  }),
  // The broker
  brokerName: required({
    name: 'BROADGATE_BROKER_NAME',
    meaning: 'The broker, as statements, notices and labels name it',
    default: 'the broker',
    read: value.text,
  }),
  brokerShortName: required({
    name: 'BROADGATE_BROKER_SHORT_NAME',
    meaning: 'What people write before the number of a help article, as in ACMEKB3842; empty for nothing',
    default: '',
    read: value.text,
  }),
  brokerEmail: required({
    name: 'BROADGATE_BROKER_EMAIL',
    meaning: 'Address in the name of the key that signs statements',
    default: 'statements@localhost',
    read: value.emailAddress,
  }),
  zone: required({
    name: 'BROADGATE_ZONE',
    meaning: 'Time zone of the business day',
    default: 'America/New_York',
    read: value.zone,
  }),
  holidays: required({
    name: 'BROADGATE_HOLIDAYS',
    meaning: 'Dates that are not business days, besides Saturdays and Sundays',
    default: '',
    read: value.list(value.date),
  }),
  // The HTTPS face
  httpsAddress: required({
    name: 'BROADGATE_HTTPS_ADDRESS',
    meaning: 'Address the API listens on; any but loopback needs a certificate or a trusted proxy',
    default: '127.0.0.1',
    read: value.address,
  }),
  httpsPort: required({
    name: 'BROADGATE_HTTPS_PORT',
    meaning: 'Port of the API; 0 means any',
    default: '8443',
    read: value.port,
  }),
  tlsCertificateFile: optional({
    name: 'BROADGATE_TLS_CERTIFICATE_FILE',
    meaning: 'Certificate chain in PEM; read again when it changes',
    read: value.readableFile,
  }),
  tlsKeyFile: optional({
    name: 'BROADGATE_TLS_KEY_FILE',
    meaning: 'Private key of that certificate in PEM',
    read: value.readableFile,
  }),
  portal: required({
    name: 'BROADGATE_PORTAL',
    meaning: 'Whether the pages of the portal are served; off leaves the API and SFTP',
    default: 'on',
    read: value.onOff,
  }),
  portalDir: required({
    name: 'BROADGATE_PORTAL_DIR',
    meaning: 'Folder of the built portal, as npm run build writes it',
    default: builtPortal,
    defaultMeaning: 'web/portal/dist beside the program',
    read: value.path,
  }),
  logoFile: optional({
    name: 'BROADGATE_LOGO_FILE',
    meaning: "The broker's logo for the portal, as SVG or PNG, at most 256 KiB; without it the name is written",
    read: value.readableFile,
  }),
  trustedProxies: required({
    name: 'BROADGATE_TRUSTED_PROXIES',
    meaning: 'Proxies that end TLS before the API and whose X-Forwarded headers are believed',
    default: '',
    read: value.list(value.network),
  }),
  // The SFTP face
  sftpAddress: required({
    name: 'BROADGATE_SFTP_ADDRESS',
    meaning: 'Address the SFTP server listens on; :: means all, IPv4 too',
    default: '::',
    read: value.address,
  }),
  sftpPort: required({
    name: 'BROADGATE_SFTP_PORT',
    meaning: 'Port of the SFTP server; 0 means any, and below 1024 needs a capability or root with BROADGATE_RUN_AS',
    default: '32',
    read: value.port,
  }),
  sftpHostName: required({
    name: 'BROADGATE_SFTP_HOST_NAME',
    meaning: 'The host name that clients are told to enter',
    default: 'localhost',
    read: value.hostName,
  }),
  sftpPublicPort: optional({
    name: 'BROADGATE_SFTP_PUBLIC_PORT',
    meaning: 'The port that clients are told to enter, where a mapping makes it another than the one listened on',
    read: value.integer(1, 65_535),
  }),
  sftpBanner: required({
    name: 'BROADGATE_SFTP_BANNER',
    meaning: 'Text shown to an SFTP client before it signs in; empty means none',
    default: '',
    read: value.text,
  }),
  proxyProtocolPeers: required({
    name: 'BROADGATE_PROXY_PROTOCOL_PEERS',
    meaning: 'Load balancers that send the PROXY protocol (version 1 or 2) before SSH',
    default: '',
    read: value.list(value.network),
  }),
  // Delivery
  approval: required({
    name: 'BROADGATE_APPROVAL',
    meaning: 'How many people of the delivery desk approve a key or an address (D-23)',
    default: 'one',
    read: value.oneOf('none', 'one', 'two'),
  }),
  severalKeys: required({
    name: 'BROADGATE_SEVERAL_KEYS',
    meaning: 'Whether a client may add a second SSH key with an expiry date beside the first (D-22)',
    default: 'off',
    read: value.onOff,
  }),
  encryptionRequired: required({
    name: 'BROADGATE_ENCRYPTION_REQUIRED',
    meaning: 'Whether SFTP delivery waits for an OpenPGP key (D-18)',
    default: 'off',
    read: value.onOff,
  }),
  privateAddresses: required({
    name: 'BROADGATE_PRIVATE_ADDRESSES',
    meaning: 'Whether a client may list private and loopback addresses',
    default: 'off',
    read: value.onOff,
  }),
  widestIpv4: required({
    name: 'BROADGATE_WIDEST_IPV4',
    meaning: 'The widest IPv4 range that a client may list',
    unit: 'bits of prefix',
    default: '24',
    read: value.integer(8, 32),
  }),
  widestIpv6: required({
    name: 'BROADGATE_WIDEST_IPV6',
    meaning: 'The widest IPv6 range that a client may list',
    unit: 'bits of prefix',
    default: '48',
    read: value.integer(16, 128),
  }),
  serviceDays: required({
    name: 'BROADGATE_SERVICE_DAYS',
    meaning: 'Business days within which the delivery desk answers a request',
    unit: 'd',
    default: '2',
    read: value.integer(1, 30),
  }),
  quotaBytes: required({
    name: 'BROADGATE_QUOTA',
    meaning: 'What one client may keep in its folder by uploading',
    unit: 'bytes',
    default: '5 GiB',
    read: value.size,
  }),
  purgeMinutes: required({
    name: 'BROADGATE_PURGE_MINUTES',
    meaning: 'Time between two purge runs of files older than 100 days: a part of an hour or whole hours (D-24)',
    unit: 'min',
    default: '60',
    read: value.partOfDay,
  }),
  // Sign-in
  lockOutFailures: required({
    name: 'BROADGATE_LOCK_OUT_FAILURES',
    meaning: 'Failed sign-ins of one login from one source within 24 h that lock it (D-08)',
    default: '10',
    read: value.integer(3, 1000),
  }),
  lockOutHours: required({
    name: 'BROADGATE_LOCK_OUT_HOURS',
    meaning: 'How long that lock lasts (D-08)',
    unit: 'h',
    default: '24',
    read: value.integer(1, 168),
  }),
  invitationHours: required({
    name: 'BROADGATE_INVITATION_HOURS',
    meaning: 'How long a one-time link for a first or new password is valid',
    unit: 'h',
    default: '72',
    read: value.integer(1, 720),
  }),
  signInHours: required({
    name: 'BROADGATE_SIGN_IN_HOURS',
    meaning: 'How long a sign-in lasts',
    unit: 'h',
    default: '12',
    read: value.integer(1, 720),
  }),
};
