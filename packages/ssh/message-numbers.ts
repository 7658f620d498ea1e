// The numbers that begin a packet or name a reason (RFC 4250 §4), as far as a server meets them.

export const message = {
  disconnect: 1,
  ignore: 2,
  unimplemented: 3,
  debug: 4,
  serviceRequest: 5,
  serviceAccept: 6,
  extInfo: 7,
  keyExchangeInit: 20,
  newKeys: 21,
  keyExchangeRequest: 30,
  keyExchangeReply: 31,
  userauthRequest: 50,
  userauthFailure: 51,
  userauthSuccess: 52,
  userauthBanner: 53,
  userauthPublicKeyOk: 60,
  globalRequest: 80,
  requestSuccess: 81,
  requestFailure: 82,
  channelOpen: 90,
  channelOpenConfirmation: 91,
  channelOpenFailure: 92,
  channelWindowAdjust: 93,
  channelData: 94,
  channelExtendedData: 95,
  channelEof: 96,
  channelClose: 97,
  channelRequest: 98,
  channelSuccess: 99,
  channelFailure: 100,
  // OpenSSH PROTOCOL §1.8, in the range of local extensions.
  ping: 192,
  pong: 193,
} as const;

/** RFC 4253 §11.1. */
export const disconnectCode = {
  protocolError: 2,
  keyExchangeFailed: 3,
  byApplication: 11,
  noMoreAuthMethods: 14,
} as const;

/** RFC 4254 §5.1. */
export const openFailure = { prohibited: 1, unknownType: 3, resourceShortage: 4 } as const;
