// What a connection must do for any order of messages, written apart from it: the model that fuzz-order.test.ts compares with.
//
// A step gives the payloads to send and what the server must answer at once. Data and the goodbye of a channel come when
// windows allow, so they are compared channel by channel.
import { formatBoolean, formatByte, formatString, formatUint32 } from '../wire.ts';

/** Small limits, so that both sides of each are reached. */
export const modelLimits = {
  windowBytes: 20_000,
  windowBytesMax: 20_000,
  channelPacketBytes: 8192,
  channelsMax: 3,
} as const;
const triesMax = 6;

/** An answer: the number of the message, and the peer's channel id where it names one. */
export type Answer = string;

export interface Step {
  readonly name: string;
  readonly payloads: readonly Buffer[];
  readonly answers: readonly Answer[];
  /** The connection ends here, in this way. */
  readonly end?: string;
  /** What follows depends on when output leaves, so nothing is sent in the same go. */
  readonly isLast?: boolean;
}

/** `hoard` takes data and never gives it back to the window. */
const services = ['echo', 'sink', 'hoard'] as const;
type Service = (typeof services)[number];

interface ModelChannel {
  readonly peerId: number;
  readonly packetBytes: number;
  windowLeft: number;
  returnedBytes: number;
  peerWindow: number;
  service: 'none' | Service;
  sunkBytes: number;
  queue: Buffer;
  /** What of the queue has left. */
  sent: Buffer;
  wantsClose: boolean;
  hasSentClose: boolean;
  hasEof: boolean;
}

export type Model = ReturnType<typeof createModel>;

export function createModel() {
  const channels = new Map<number, ModelChannel>();
  /** Channels that are over, for the comparison of what they were sent. */
  const past: ModelChannel[] = [];
  let hasService = false;
  let isSignedIn = false;
  let requests = 0;
  let tries = 0;
  let nextPeerId = 100;

  const step = (name: string, payload: Buffer, answers: readonly Answer[] = [], isLast = false): Step => ({
    name,
    payloads: [payload],
    answers,
    isLast,
  });
  const fault = (name: string, ...payloads: Buffer[]): Step => ({ name, payloads, answers: [], end: 'protocol_fault' });
  const channelMessage = (number: number, id: number, ...rest: Buffer[]): Buffer =>
    Buffer.concat([formatByte(number), formatUint32(id), ...rest]);

  /** Moves what the peer's window lets go, then the goodbye. */
  function drain(channel: ModelChannel): void {
    const size = Math.min(channel.queue.length, channel.peerWindow);
    channel.sent = Buffer.concat([channel.sent, channel.queue.subarray(0, size)]);
    channel.queue = channel.queue.subarray(size);
    channel.peerWindow -= size;
    if (channel.queue.length === 0 && channel.wantsClose) channel.hasSentClose = true;
  }

  function admit(channel: ModelChannel, size: number, isKept = true): 'fault' | readonly Answer[] {
    if (channel.hasEof || size > modelLimits.channelPacketBytes || size > channel.windowLeft) return 'fault';
    channel.windowLeft -= size;
    if (channel.service === 'hoard' && isKept) return [];
    channel.returnedBytes += size;
    if (channel.hasSentClose || channel.returnedBytes < modelLimits.windowBytes / 2) return [];
    const answer = `93 to ${channel.peerId} of ${channel.returnedBytes}`;
    channel.windowLeft += channel.returnedBytes;
    channel.returnedBytes = 0;
    return [answer];
  }

  /** A sign-in request that fails. */
  function refused(name: string, payload: Buffer, isTry = true): Step {
    if (!hasService) return fault(name, payload);
    if (isSignedIn) return step(name, payload);
    requests += 1;
    if (requests > triesMax * 4) return { ...step(name, payload), end: 'too_many_tries' };
    if (isTry) tries += 1;
    return tries >= triesMax ? { ...step(name, payload), end: 'too_many_tries' } : step(name, payload, ['51']);
  }

  return {
    channels,
    past,
    get hasService(): boolean {
      return hasService;
    },
    get isSignedIn(): boolean {
      return isSignedIn;
    },

    service(name: string): Step {
      const payload = Buffer.concat([formatByte(5), formatString(name)]);
      if (name !== 'ssh-userauth') return fault('another service', payload);
      hasService = true;
      return step('service', payload, ['6']);
    },
    none: (payload: Buffer): Step => refused('none', payload, requests > 0),
    badTry: (name: string, payload: Buffer): Step => refused(name, payload),
    query(payload: Buffer): Step {
      if (!hasService) return fault('query', payload);
      if (isSignedIn) return step('query', payload);
      requests += 1;
      return requests > triesMax * 4
        ? { ...step('query', payload), end: 'too_many_tries' }
        : step('query', payload, ['60']);
    },
    signIn(payload: Buffer): Step {
      if (!hasService) return fault('sign-in', payload);
      if (isSignedIn) return step('sign-in again', payload);
      requests += 1;
      if (requests > triesMax * 4) return { ...step('sign-in', payload), end: 'too_many_tries' };
      isSignedIn = true;
      return step('sign-in', payload, ['52', '80']);
    },

    open(type: string, windowBytes: number, packetBytes: number): Step {
      const peerId = nextPeerId++;
      const sizes = [peerId, windowBytes, packetBytes].map(formatUint32);
      const payload = Buffer.concat([formatByte(90), formatString(type), ...sizes]);
      if (!isSignedIn) return fault('open', payload);
      const isGood = type === 'session' && packetBytes >= 1024 && channels.size < modelLimits.channelsMax;
      if (!isGood) return step('open in vain', payload, [`92 to ${peerId}`]);
      let id = 0;
      while (channels.has(id)) id += 1;
      channels.set(id, {
        peerId,
        packetBytes,
        windowLeft: modelLimits.windowBytes,
        returnedBytes: 0,
        peerWindow: windowBytes,
        service: 'none',
        sunkBytes: 0,
        queue: Buffer.alloc(0),
        sent: Buffer.alloc(0),
        wantsClose: false,
        hasSentClose: false,
        hasEof: false,
      });
      return step('open', payload, [`91 to ${peerId}`]);
    },

    request(id: number, type: string, name: string, wantsReply: boolean): Step {
      const payload = channelMessage(98, id, formatString(type), formatBoolean(wantsReply), formatString(name));
      const channel = channels.get(id);
      if (!isSignedIn || channel === undefined) return fault('request', payload);
      const isFree = channel.service === 'none' && !channel.hasSentClose && !channel.hasEof;
      const isServed = type === 'subsystem' && isFree && (services as readonly string[]).includes(name);
      if (isServed) channel.service = name as Service;
      const answers = wantsReply && !channel.hasSentClose ? [`${isServed ? 99 : 100} to ${channel.peerId}`] : [];
      return step(`request ${type} ${name}`, payload, answers);
    },

    data(id: number, bytes: Buffer): Step {
      const payload = channelMessage(94, id, formatString(bytes));
      const channel = channels.get(id);
      if (!isSignedIn || channel === undefined) return fault('data', payload);
      const answers = admit(channel, bytes.length);
      if (answers === 'fault') return fault('data beyond', payload);
      if (!channel.hasSentClose && channel.service === 'sink') channel.sunkBytes += bytes.length;
      if (!channel.hasSentClose && channel.service === 'echo') {
        channel.queue = Buffer.concat([channel.queue, bytes]);
        drain(channel);
      }
      return step(`data ${bytes.length}`, payload, answers);
    },

    extendedData(id: number, size: number): Step {
      const payload = channelMessage(95, id, formatUint32(1), formatString(Buffer.alloc(size)));
      const channel = channels.get(id);
      if (!isSignedIn || channel === undefined) return fault('extended data', payload);
      const answers = admit(channel, size, false);
      return answers === 'fault' ? fault('extended data beyond', payload) : step('extended data', payload, answers);
    },

    adjust(id: number, bytes: number): Step {
      const payload = channelMessage(93, id, formatUint32(bytes));
      const channel = channels.get(id);
      if (!isSignedIn || channel === undefined) return fault('adjust', payload);
      if (channel.peerWindow + bytes > 0xffff_ffff) return fault('adjust beyond', payload);
      channel.peerWindow += bytes;
      drain(channel);
      return step('adjust', payload, [], true);
    },

    eof(id: number): Step {
      const payload = channelMessage(96, id);
      const channel = channels.get(id);
      if (!isSignedIn || channel === undefined || channel.hasEof) return fault('eof', payload);
      channel.hasEof = true;
      if (channel.service === 'sink' && !channel.wantsClose) channel.queue = Buffer.from(`${channel.sunkBytes}\n`);
      channel.wantsClose ||= channel.service === 'echo' || channel.service === 'sink';
      drain(channel);
      return step('eof', payload, [], true);
    },

    close(id: number): Step {
      const payload = channelMessage(97, id);
      const channel = channels.get(id);
      if (!isSignedIn || channel === undefined) return fault('close', payload);
      channels.delete(id);
      past.push(channel);
      return step('close', payload, channel.hasSentClose ? [] : [`97 to ${channel.peerId}`], true);
    },

    global: (wantsReply: boolean): Step => {
      const payload = Buffer.concat([formatByte(80), formatString('x@y'), formatBoolean(wantsReply)]);
      return isSignedIn ? step('global request', payload, wantsReply ? ['82'] : []) : fault('global request', payload);
    },
    ping: (): Step => step('ping', Buffer.concat([formatByte(192), formatString('x')]), ['193']),
    /** A message by its number alone, with some bytes behind it. */
    bare(number: number, rest: Buffer): Step {
      const payload = Buffer.concat([formatByte(number), rest]);
      const name = `message ${number}`;
      if (number === 0 || (number >= 20 && number <= 49)) return fault(name, payload);
      if (number <= 4 || number === 7) return step(name, payload);
      if (number >= 80 && number <= 127 && (!isSignedIn || number === 81 || number === 82)) return fault(name, payload);
      return step(name, payload, ['3']);
    },
    goodbye: (): Step => ({
      ...step('disconnect', Buffer.concat([formatByte(1), formatUint32(11), formatString(''), formatString('')])),
      end: 'peer_disconnected',
    }),
  };
}
