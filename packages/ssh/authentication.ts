// The sign-in: public keys only, one try at a time, every try put to the handler (RFC 4252, RFC 8332).
import { isUtf8 } from 'node:buffer';
import { ConnectionFault, protocolFault } from './faults.ts';
import { fingerprint } from './host-keys.ts';
import type { Limits } from './limits.ts';
import { message } from './message-numbers.ts';
import { readClientKey } from './signatures.ts';
import type { AuthAttempt, AuthFault, OfferedKey, Verdict } from './ssh.ts';
import type { Transport } from './transport.ts';
import { createReader, formatBoolean, formatByte, formatNameList, formatString, type WireReader } from './wire.ts';

const userBytesMax = 255;
const keyBytesMax = 16 * 1024;
// Requests that are no tries (the first `none`, queries that a key passes) are few with every client.
const requestsPerTryMax = 4;

export interface Authentication {
  handleServiceRequest(payload: Buffer): void;
  handleUserauthRequest(payload: Buffer): void;
  readonly tries: number;
  readonly signedIn: SignedIn | undefined;
}

export interface SignedIn {
  readonly user: string;
  readonly algorithm: string;
  readonly fingerprint: string;
}

/** A try, and what an 'accept' on it is answered with. */
interface Try {
  readonly attempt: AuthAttempt;
  /** Parts of PK_OK, as the client sent them. */
  readonly offered?: { readonly algorithm: Buffer; readonly blob: Buffer };
}

export function createAuthentication(parts: {
  readonly transport: Transport;
  readonly limits: Limits;
  readonly banner: string | undefined;
  authenticate(attempt: AuthAttempt): Promise<Verdict>;
  hold(): void;
  signedIn(user: string): void;
  /** Runs a step outside `receive` with the same care for faults. */
  guard(work: () => void): void;
  inTurn(work: () => void): void;
  /** A handler's promise was rejected. */
  failed(fault: unknown): void;
}): Authentication {
  const { transport, limits } = parts;
  let isServiceGiven = false;
  let requests = 0;
  let tries = 0;
  let signedIn: SignedIn | undefined;

  function handleServiceRequest(payload: Buffer): void {
    const reader = createReader(payload, 1);
    const service = reader.ascii(64);
    reader.end();
    transport.countChatter(1);
    // RFC 4253 §10: an unknown service ends the connection. ssh-connection comes by the sign-in only.
    if (service !== 'ssh-userauth') throw protocolFault('the service asked for is not offered');
    transport.send(formatByte(message.serviceAccept), formatString(service));
    if (!isServiceGiven && parts.banner !== undefined) {
      transport.send(formatByte(message.userauthBanner), formatString(parts.banner), formatString(''));
    }
    isServiceGiven = true;
  }

  function handleUserauthRequest(payload: Buffer): void {
    if (!isServiceGiven) throw protocolFault('a sign-in comes before its service');
    // RFC 4252 §5.1: after a success further requests are ignored.
    if (signedIn !== undefined) return transport.countChatter(1);
    requests += 1;
    if (requests > limits.triesMax * requestsPerTryMax) throw new ConnectionFault({ kind: 'too_many_tries', tries });
    const kept = Buffer.from(payload);
    transport.pause();
    parts.inTurn(() => void decide(readTry(createReader(kept, 1), transport.sessionId)));
  }

  async function decide(next: Try): Promise<void> {
    try {
      const verdict = await parts.authenticate(next.attempt);
      parts.guard(() => conclude(next, verdict));
    } catch (fault) {
      parts.failed(fault);
    }
  }

  function conclude({ attempt, offered }: Try, verdict: Verdict): void {
    if (verdict === 'hold') return parts.hold();
    const isGood = verdict === 'accept' && offered !== undefined && attempt.fault === undefined;
    if (!isGood) refuse(attempt.method);
    else if (attempt.signed) succeed(attempt.user, attempt.key!);
    else {
      const { algorithm, blob } = offered;
      transport.send(formatByte(message.userauthPublicKeyOk), formatString(algorithm), formatString(blob));
    }
    transport.resume();
  }

  function refuse(method: string): void {
    // As OpenSSH counts: the opening `none`, which asks for the methods, is not a try.
    if (method !== 'none' || requests > 1) tries += 1;
    if (tries >= limits.triesMax) throw new ConnectionFault({ kind: 'too_many_tries', tries });
    transport.send(formatByte(message.userauthFailure), formatNameList(['publickey']), formatBoolean(false));
  }

  function succeed(user: string, key: OfferedKey): void {
    signedIn = { user, algorithm: key.algorithm, fingerprint: key.fingerprint };
    transport.signedIn();
    transport.send(formatByte(message.userauthSuccess));
    parts.signedIn(user);
  }

  return {
    handleServiceRequest,
    handleUserauthRequest,
    get tries() {
      return tries;
    },
    get signedIn() {
      return signedIn;
    },
  };
}

function readTry(reader: WireReader, sessionId: Buffer): Try {
  const userBytes = reader.string();
  const service = reader.ascii(64);
  // RFC 4252 §5: a service that is not there may end the connection.
  if (service !== 'ssh-connection') throw protocolFault('the service asked for is not offered');
  const method = reader.ascii(64);
  const isUserFit = userBytes.length <= userBytesMax && isUtf8(userBytes);
  const user = isUserFit ? userBytes.toString('utf8') : '';
  const about = { user, service, method };
  if (method !== 'publickey') return { attempt: { ...about, signed: false, fault: 'method_not_offered' } };

  const signed = reader.boolean();
  const algorithm = reader.string(64);
  const blob = reader.string(keyBytesMax);
  const signature = signed ? reader.string(keyBytesMax) : undefined;
  reader.end();
  const key: OfferedKey = {
    algorithm: algorithm.toString('latin1').replace(/[^\x21-\x7e]/g, '?'),
    blob: Buffer.from(blob),
    fingerprint: fingerprint(blob),
  };
  const known = readClientKey(key.algorithm, blob);
  const fault = judge(isUserFit, known, signature, () => formatSigned(sessionId, userBytes, algorithm, blob));
  return {
    // A wrong signature proves nothing, so the handler sees a try that is not signed.
    attempt: { ...about, key, signed: signed && fault === undefined, ...(fault !== undefined && { fault }) },
    offered: { algorithm: Buffer.from(algorithm), blob: key.blob },
  };
}

/** The signature is checked before anybody asks who the user is, so that its cost tells nothing about users. */
function judge(
  isUserFit: boolean,
  known: ReturnType<typeof readClientKey>,
  signature: Buffer | undefined,
  signedData: () => Buffer,
): AuthFault | undefined {
  if (typeof known === 'string') return known;
  if (signature !== undefined && !known.isSignedBy(signature, signedData())) return 'signature_wrong';
  return isUserFit ? undefined : 'user_malformed';
}

/** RFC 4252 §7: the signature binds this connection's exchange hash, the user, the service and the key. */
function formatSigned(sessionId: Buffer, user: Buffer, algorithm: Buffer, blob: Buffer): Buffer {
  return Buffer.concat([
    formatString(sessionId),
    formatByte(message.userauthRequest),
    formatString(user),
    formatString('ssh-connection'),
    formatString('publickey'),
    formatBoolean(true),
    formatString(algorithm),
    formatString(blob),
  ]);
}
