// What a client types: host name, port, user name, host key fingerprints, and commands that work when pasted.

export interface HostKeyShown {
  readonly algorithm: string;
  /** `SHA256:…` */
  readonly fingerprint: string;
  /** The public key as one OpenSSH line without a comment: `ssh-ed25519 AAAA…`. */
  readonly line: string;
}

/** Texts to paste; PRIVATE_KEY_FILE and STATEMENT are for the client to fill in. */
export interface Instructions {
  readonly hostName: string;
  readonly port: number;
  readonly userName: string | null;
  readonly hostKeys: readonly HostKeyShown[];
  /** For `known_hosts`, one line for each host key. */
  readonly knownHosts: readonly string[];
  readonly sftpCommand: string;
  readonly psftpCommand: string;
  readonly lftpCommand: string;
  readonly sshConfig: string;
  /** A site that FileZilla's "Import" takes. */
  readonly fileZillaSites: string;
  readonly gpgCommand: string;
  readonly systems: readonly SystemCommands[];
}

export type CommandStep = 'make_key' | 'show_key' | 'trust_host' | 'connect' | 'fetch_all' | 'decrypt';

/** Commands that work as they are, with a key pair of their own name. */
export interface SystemCommands {
  readonly system: 'linux' | 'macos' | 'windows';
  readonly commands: readonly { readonly step: CommandStep; readonly command: string }[];
}

/** Builds the instructions; before a user name is issued its place shows USER_NAME. */
export function formatInstructions(given: {
  hostName: string;
  port: number;
  userName: string | null;
  hostKeys: readonly HostKeyShown[];
}): Instructions {
  const { hostName, port, hostKeys } = given;
  const user = given.userName ?? 'USER_NAME';
  const knownName = port === 22 ? hostName : `[${hostName}]:${port}`;
  // Of several host keys the first is enough: a program learns the others when it is connected.
  const site = { hostName, port, user, known: `${knownName} ${hostKeys[0]?.line ?? ''}` };
  return {
    ...given,
    knownHosts: hostKeys.map((key) => `${knownName} ${key.line}`),
    sftpCommand: `sftp -P ${port} -i PRIVATE_KEY_FILE ${user}@${hostName}`,
    psftpCommand: `psftp -P ${port} -i privatekey.ppk ${user}@${hostName}`,
    lftpCommand: `lftp -e 'set sftp:connect-program "ssh -a -x -i PRIVATE_KEY_FILE"' -p ${port} sftp://${user}:@${hostName}`,
    sshConfig:
      `Host statements\n  HostName ${hostName}\n  Port ${port}\n  User ${user}\n` +
      '  IdentityFile PRIVATE_KEY_FILE\n  IdentitiesOnly yes\n',
    fileZillaSites: fileZillaSites({ hostName, port, user }),
    gpgCommand,
    systems: [
      { system: 'linux', commands: unixCommands(site) },
      { system: 'macos', commands: unixCommands(site) },
      { system: 'windows', commands: windowsCommands(site) },
    ],
  };
}

interface Site {
  readonly hostName: string;
  readonly port: number;
  readonly user: string;
  readonly known: string;
}

const gpgCommand = 'gpg --output STATEMENT --decrypt STATEMENT.pgp';

const unixCommands = ({ hostName, port, user, known }: Site): SystemCommands['commands'] => [
  { step: 'make_key', command: 'ssh-keygen -t ed25519 -f ~/.ssh/statements' },
  { step: 'show_key', command: 'cat ~/.ssh/statements.pub' },
  { step: 'trust_host', command: `echo '${known}' >> ~/.ssh/known_hosts` },
  { step: 'connect', command: `sftp -P ${port} -i ~/.ssh/statements ${user}@${hostName}` },
  { step: 'fetch_all', command: `sftp -r -P ${port} -i ~/.ssh/statements ${user}@${hostName}:/ statements` },
  { step: 'decrypt', command: gpgCommand },
];

// OpenSSH comes with Windows 10 and later; the quoting is that of PowerShell.
const windowsCommands = ({ hostName, port, user, known }: Site): SystemCommands['commands'] => [
  { step: 'make_key', command: 'ssh-keygen -t ed25519 -f "$HOME\\.ssh\\statements"' },
  { step: 'show_key', command: 'Get-Content "$HOME\\.ssh\\statements.pub"' },
  { step: 'trust_host', command: `Add-Content "$HOME\\.ssh\\known_hosts" '${known}'` },
  { step: 'connect', command: `sftp -P ${port} -i "$HOME\\.ssh\\statements" ${user}@${hostName}` },
  { step: 'fetch_all', command: `sftp -r -P ${port} -i "$HOME\\.ssh\\statements" ${user}@${hostName}:/ statements` },
  { step: 'decrypt', command: gpgCommand },
];

// FileZilla: protocol 1 is SFTP, logon type 5 is "Key file".
const fileZillaSites = (site: { hostName: string; port: number; user: string }): string =>
  '<?xml version="1.0" encoding="UTF-8"?>\n<FileZilla3 version="3.63.0" platform="any">\n  <Servers>\n    <Server>\n' +
  `      <Host>${escapeXml(site.hostName)}</Host>\n      <Port>${site.port}</Port>\n      <Protocol>1</Protocol>\n` +
  `      <Type>0</Type>\n      <User>${escapeXml(site.user)}</User>\n      <Keyfile></Keyfile>\n` +
  '      <Logontype>5</Logontype>\n      <EncodingType>UTF-8</EncodingType>\n      <Name>Statements</Name>\n' +
  '    </Server>\n  </Servers>\n</FileZilla3>\n';

const escapeXml = (text: string): string => text.replace(/[<>&"]/g, (character) => `&#${character.charCodeAt(0)};`);
