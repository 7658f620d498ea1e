// What crosses the wire about people: sign-ins, tokens, clients with their accounts and logins, operators with their desks.
import { type Static, Type } from 'typebox';
import { closed, count, id, instant, line, locale, nullable, oneOf } from './contract.ts';

export const deskWords = ['delivery', 'service', 'compliance', 'dealing', 'diagnostics', 'operations'] as const;
export const clientKinds = ['person', 'institution'] as const;
export const clientStates = ['active', 'suspended', 'closed'] as const;

export const loginName = Type.String({
  minLength: 3,
  maxLength: 64,
  pattern: '^[A-Za-z0-9][A-Za-z0-9._@+-]*$',
  description: 'What a person types to sign in. Upper and lower case are equal.',
});
const password = Type.String({
  minLength: 1,
  maxLength: 1024,
  description: 'In clear over TLS; never logged, never answered.',
});
const desks = Type.Array(oneOf(deskWords), { minItems: 1, maxItems: 6, uniqueItems: true });
const email = Type.String({ format: 'email', maxLength: 254 });
export const accountNumber = Type.String({
  minLength: 1,
  maxLength: 32,
  pattern: '^[A-Za-z0-9][A-Za-z0-9-]*$',
  description: 'Account number at the broker.',
});

export const signInRequest = closed({
  login: Type.String({ minLength: 1, maxLength: 64 }),
  password,
  deliver: Type.Optional(
    oneOf(
      ['cookie', 'token'],
      'Browsers take the cookie (default); scripts take the token and send it as `Authorization: Bearer`.',
    ),
  ),
});

export const themes = ['system', 'light', 'dark'] as const;

/** How a person likes to read. */
export const preferences = closed(
  {
    locale: nullable(locale),
    timeZone: nullable(
      Type.String({
        minLength: 1,
        maxLength: 64,
        description: 'IANA name, e.g. `Europe/Lisbon`; null: as the browser says.',
      }),
    ),
    theme: oneOf(themes),
  },
  { title: 'Preferences' },
);
export type Preferences = Static<typeof preferences>;

/** Who is signed in, as the portal and scripts read it. `id` is that of the client or operator. */
export const me = closed(
  {
    kind: oneOf(['client', 'operator']),
    id: id('client or operator'),
    login: Type.String(),
    name: Type.String(),
    desks: Type.Array(oneOf(deskWords)),
    accountNumbers: Type.Array(Type.String()),
    signInId: nullable(id('sign-in')),
    preferences,
  },
  { title: 'Me' },
);
export type Me = Static<typeof me>;

export const signedIn = closed({
  me,
  expiresAt: instant('When this sign-in ends at the latest; half an hour without use ends it earlier.'),
  token: nullable(Type.String({ description: 'Present once, when `deliver` was `token`.' })),
});

export const signInItem = closed(
  {
    id: id('sign-in'),
    sort: oneOf(['password', 'token']),
    name: nullable(Type.String({ description: 'The name given to a token.' })),
    address: nullable(Type.String({ description: 'The address it was opened from.' })),
    isCurrent: Type.Boolean(),
    createdAt: instant('When it was opened.'),
    usedAt: instant('When it was last used, to the minute.'),
    expiresAt: instant('When it ends at the latest.'),
    endedAt: nullable(instant('When it was ended before that.')),
  },
  { title: 'SignIn' },
);

export const tokenRequest = closed({
  name: line(64, 'What the token is for, shown in the list of sign-ins.'),
  expiresInDays: Type.Integer({ minimum: 1, maximum: 366 }),
  password,
});
export const tokenAnswer = closed({
  id: id('token'),
  token: Type.String({ description: 'Shown this once.' }),
  expiresAt: instant('When it ends.'),
});

export const invitationAcceptance = closed({ token: Type.String({ minLength: 1, maxLength: 128 }), password });
export const accepted = closed({ login: Type.String(), kind: oneOf(['client', 'operator']) });
export const passwordChange = closed({ currentPassword: password, newPassword: password });

/** A one-time link by which a person sets the first or a new password. */
export const invitation = closed(
  {
    token: Type.String({ description: 'Shown this once; goes to the person by a way of your choice.' }),
    expiresAt: instant('After this the link opens nothing.'),
  },
  { title: 'Invitation' },
);

export const login = closed({
  id: id('login'),
  login: Type.String(),
  isSetUp: Type.Boolean({ description: 'False until the person accepted an invitation and has a password.' }),
});

export const client = closed(
  {
    id: id('client'),
    kind: oneOf(clientKinds),
    name: Type.String(),
    email: nullable(Type.String()),
    locale,
    state: oneOf(clientStates),
    stateReason: nullable(Type.String()),
    accountNumbers: Type.Array(Type.String()),
    logins: Type.Array(login),
    createdAt: instant('When the client was added.'),
  },
  { title: 'Client' },
);
export type Client = Static<typeof client>;

/** A client in the lists of a desk. */
export const clientBrief = closed(
  { id: id('client'), name: Type.String(), accountNumbers: Type.Array(Type.String()) },
  { title: 'ClientBrief' },
);

export const newClient = closed({
  kind: oneOf(clientKinds),
  name: line(200, 'Name of the person or firm.'),
  login: loginName,
  email: Type.Optional(email),
  accountNumbers: Type.Array(accountNumber, { minItems: 1, maxItems: 100, uniqueItems: true }),
  locale: Type.Optional(locale),
});
export const addedClient = closed({ clientId: id('client'), loginId: id('login'), invitation });
export const newLogin = closed({ login: loginName });
export const addedLogin = closed({ loginId: id('login'), invitation });
export const newAccount = closed({ accountNumber });
export const addedAccount = closed({ accountId: id('account') });
export const clientFilter = closed({
  state: Type.Optional(oneOf(clientStates)),
  search: Type.Optional(line(100, 'Part of a name, or how an account number or a login begins.')),
});

// Suspend, resume and close take the same.
export const stateChange = closed({ reason: line(500, 'Why, for the record; the client does not read it.') });

export const operator = closed(
  {
    id: id('operator'),
    login: Type.String(),
    name: Type.String(),
    desks: Type.Array(oneOf(deskWords)),
    state: oneOf(['active', 'ended']),
    isSetUp: Type.Boolean(),
    createdAt: instant('When the operator was added.'),
  },
  { title: 'Operator' },
);
export const newOperator = closed({ login: loginName, name: line(200, 'Name of the person.'), desks });
export const addedOperator = closed({ operatorId: id('operator'), loginId: id('login'), invitation });
export const deskChange = closed({ desks });

export const importCheck = closed({ rows: count('Clients in the file.') });
export const importAnswer = closed({
  clients: Type.Array(closed({ row: Type.Integer(), clientId: id('client'), login: Type.String(), invitation }), {
    maxItems: 10_000,
  }),
});

export const callerAddress = closed({
  address: Type.String({ description: 'The public address this request came from: what an allow-list must hold.' }),
});
