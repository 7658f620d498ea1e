// Everything that ssh-audit 2.5.0 finds fault with in our server, each with the reason why it is so and stays so.

interface Finding {
  /** As ssh-audit prints it: `(kex) name [fail] text`, or `(rec) -name`. */
  readonly says: string;
  readonly reason: string;
}

const nistCurves =
  'The tool holds the NIST curves for weak because their seeds are unexplained; no attack is known. Clients that were ' +
  'set to FIPS algorithms have nothing else, and the order puts them last but for Diffie-Hellman.';
const macAfter =
  'libssh2 before 1.11, which curl of Debian 12 uses, knows no encrypt-then-MAC. These come after it in our order, and ' +
  'CTR with a MAC that covers the sequence number has no known attack; CBC, where it matters, is not offered.';

export const findings: readonly Finding[] = [
  {
    says: '(kex) mlkem768x25519-sha256 [warn] unknown algorithm',
    reason: 'The tool is older than the post-quantum exchange that OpenSSH prefers since 10.0.',
  },
  {
    says: '(kex) kex-strict-s-v00@openssh.com [warn] unknown algorithm',
    reason: 'Not an algorithm but the mark of strict key exchange, the answer to CVE-2023-48795; the tool is older.',
  },
  ...['256', '384', '521'].flatMap((bits) => [
    { says: `(kex) ecdh-sha2-nistp${bits} [fail] using weak elliptic curves`, reason: nistCurves },
    { says: `(rec) -ecdh-sha2-nistp${bits}`, reason: nistCurves },
  ]),
  ...['256', '512'].flatMap((bits) => [
    { says: `(mac) hmac-sha2-${bits} [warn] using encrypt-and-MAC mode`, reason: macAfter },
    { says: `(rec) -hmac-sha2-${bits}`, reason: macAfter },
  ]),
];
