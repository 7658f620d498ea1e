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
    gpgCommand: 'gpg --output STATEMENT --decrypt STATEMENT.pgp',
  };
}

// FileZilla: protocol 1 is SFTP, logon type 5 is "Key file".
const fileZillaSites = (site: { hostName: string; port: number; user: string }): string =>
  '<?xml version="1.0" encoding="UTF-8"?>\n<FileZilla3 version="3.63.0" platform="any">\n  <Servers>\n    <Server>\n' +
  `      <Host>${escapeXml(site.hostName)}</Host>\n      <Port>${site.port}</Port>\n      <Protocol>1</Protocol>\n` +
  `      <Type>0</Type>\n      <User>${escapeXml(site.user)}</User>\n      <Keyfile></Keyfile>\n` +
  '      <Logontype>5</Logontype>\n      <EncodingType>UTF-8</EncodingType>\n      <Name>Statements</Name>\n' +
  '    </Server>\n  </Servers>\n</FileZilla3>\n';

const escapeXml = (text: string): string => text.replace(/[<>&"]/g, (character) => `&#${character.charCodeAt(0)};`);
