// Signing in and taking up an invitation, as documents that work without any script: parse a form, one operation, a page or a way on.
import { languages, locales } from '@broadgate/languages';
import { html, type Texts } from '@broadgate/languages/texts.ts';
import { answerThrown } from '../faces/https/answer.ts';
import { type DocumentAsked, type DocumentReply, type DocumentRoute, renderReason } from '../faces/https/documents.ts';
import { ownPath } from '../faces/https/page-headers.ts';
import { Refusal } from '../kernel/refusal.ts';
import type { Identity } from './identity.ts';

// As in the API: a password costs the server far more than any other request.
const passwordWeight = 20;
const source = 'sign-in/sign-in.ts';
const loginLengthMax = 64;
const passwordLengthMax = 1024;

interface Parts {
  readonly identity: Identity;
}

/** The documents of identity. */
export const createIdentityDocuments = ({ identity }: Parts): DocumentRoute[] => [
  {
    method: 'GET',
    path: '/sign-in',
    async handle(asked) {
      const next = ownPath(asked.query.get('next'));
      const chosen = locales.find((locale) => locale === asked.query.get('language'));
      if (chosen !== undefined) {
        return { status: 303, location: addressOf(next), remember: { name: 'language', value: chosen } };
      }
      if (asked.actor !== undefined) return { status: 303, location: next };
      const notes = { 'signed-out': 'access.signedOut', 'password-set': 'access.passwordSet' } as const;
      const note = Object.entries(notes).find(([name]) => name === asked.query.get('note'));
      const login = (asked.query.get('login') ?? '').slice(0, loginLengthMax);
      return signInPage(asked, {
        status: 200,
        next,
        login,
        ...(note === undefined ? {} : { note: asked.texts.text(note[1]) }),
      });
    },
  },
  {
    method: 'POST',
    path: '/sign-in',
    weight: passwordWeight,
    async handle(asked) {
      const next = ownPath(asked.form.get('next'));
      const login = field(asked.form, 'login', loginLengthMax);
      const password = field(asked.form, 'password', passwordLengthMax);
      try {
        const origin = { face: 'https', address: asked.address } as const;
        const { token, expiresAtMs } = await identity.signIn({ login, password, origin });
        return { status: 303, location: next, cookie: { token, expiresAtMs } };
      } catch (thrown) {
        return signInPage(asked, { ...explain(thrown, asked.texts), next, login });
      }
    },
  },
  {
    method: 'GET',
    path: '/invitation',
    handle: async (asked) => invitationPage(asked, { status: 200, token: '' }, identity),
  },
  {
    method: 'POST',
    path: '/invitation',
    weight: passwordWeight,
    async handle(asked) {
      // A person may paste the whole link.
      const pasted = field(asked.form, 'token', 2000).trim();
      const token = pasted.slice(pasted.lastIndexOf('#') + 1);
      const password = field(asked.form, 'password', passwordLengthMax + 1);
      if (password !== asked.form.get('repeat')) {
        const refusal = asked.texts.text('access.invitation.differ');
        return invitationPage(asked, { status: 400, refusal, token }, identity);
      }
      try {
        const origin = { face: 'https', address: asked.address } as const;
        const { login } = await identity.acceptInvitation({ token, password, origin });
        const query = new URLSearchParams({ note: 'password-set', login });
        // Whoever was signed in on this device before is somebody else, or had another password.
        return { status: 303, location: `/sign-in?${query.toString()}`, cookie: 'clear' };
      } catch (thrown) {
        return invitationPage(asked, { ...explain(thrown, asked.texts), token }, identity);
      }
    },
  },
];

/** One line of a form. What is longer or holds NUL is cut to nothing: it can be neither a login nor a password. */
function field(form: URLSearchParams, name: string, lengthMax: number): string {
  const text = form.get(name) ?? '';
  return text.length > lengthMax || text.includes('\0') ? '' : text;
}

interface Outcome {
  readonly status: number;
  /** HTML. */
  readonly refusal?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Puts a refusal into the reader's words. Anything else is a fault of ours, and the face's to answer. */
function explain(thrown: unknown, texts: Texts): Outcome {
  if (!(thrown instanceof Refusal)) throw thrown;
  const { problem, headers } = answerThrown(thrown, '');
  return { status: problem.status, refusal: renderReason(problem, texts), headers };
}

function signInPage(
  asked: DocumentAsked,
  shown: Outcome & { readonly next: string; readonly login: string; readonly note?: string },
): DocumentReply {
  const { texts } = asked;
  const text = texts.text;
  const isRefused = shown.refusal !== undefined;
  const body = [
    `<h1>${text('access.title')}</h1>`,
    renderNote(shown),
    '<form method="post" action="/sign-in">',
    shown.next === '/' ? '' : `<input type="hidden" name="next" value="${html.escape(shown.next)}">`,
    '<div class="field">',
    `<label for="login">${text('access.login')}</label>`,
    `<input id="login" name="login" value="${html.escape(shown.login)}" autocomplete="username" autocapitalize="none" spellcheck="false" dir="ltr" required maxlength="${loginLengthMax}"${wrong(isRefused)}>`,
    '</div>',
    renderPassword(texts, {
      id: 'password',
      label: text('access.password'),
      autocomplete: 'current-password',
      attributes: `${wrong(isRefused)}${shown.login === '' ? '' : ' data-first'}`,
    }),
    `<button class="main" data-busy="${text('access.busy')}">${text('access.submit')}</button>`,
    '</form>',
    `<p class="hint">${text('access.forgotten')}</p>`,
    renderLanguages(texts, shown.next),
  ];
  return answer(asked, shown, 'access.title', body);
}

function invitationPage(
  asked: DocumentAsked,
  shown: Outcome & { readonly token: string },
  identity: Identity,
): DocumentReply {
  const { texts } = asked;
  const text = texts.text;
  const isRefused = shown.refusal !== undefined;
  const charactersMin = identity.passwordCharactersMin;
  const body = [
    `<h1>${text('access.invitation.title')}</h1>`,
    renderNote(shown),
    `<p class="lead">${text('access.invitation.lead')}</p>`,
    '<form method="post" action="/invitation">',
    '<div class="field">',
    `<label for="token">${text('access.invitation.token')}</label>`,
    `<input id="token" name="token" value="${html.escape(shown.token)}" autocomplete="off" autocapitalize="none" spellcheck="false" dir="ltr" required data-from-address aria-describedby="token-hint">`,
    `<p class="hint" id="token-hint">${text('access.invitation.tokenHint')}</p>`,
    '</div>',
    renderPassword(texts, {
      id: 'password',
      label: text('access.invitation.password'),
      autocomplete: 'new-password',
      attributes: `${wrong(isRefused)} data-first aria-describedby="password-hint"`,
      after: `<p class="hint" id="password-hint">${text('access.invitation.passwordHint', { charactersMin })}</p>`,
    }),
    renderPassword(texts, {
      id: 'repeat',
      label: text('access.invitation.repeat'),
      autocomplete: 'new-password',
      attributes: wrong(isRefused),
    }),
    `<button class="main" data-busy="${text('access.invitation.busy')}">${text('access.invitation.submit')}</button>`,
    '</form>',
  ];
  return answer(asked, shown, 'access.invitation.title', body);
}

function answer(
  asked: DocumentAsked,
  { status, headers }: Outcome,
  titleId: 'access.title' | 'access.invitation.title',
  body: readonly string[],
): DocumentReply {
  const page = { title: asked.texts.text(titleId), body: body.filter((line) => line !== '').join('\n'), source };
  return { status, html: asked.render(page), ...(headers === undefined ? {} : { headers }) };
}

const wrong = (isRefused: boolean): string => (isRefused ? ' aria-invalid="true" aria-describedby="refusal"' : '');

function renderNote({ refusal, note }: { readonly refusal?: string; readonly note?: string }): string {
  if (refusal !== undefined) return `<p class="note refused" id="refusal" role="alert">${refusal}</p>`;
  return note === undefined ? '' : `<p class="note" role="status">${note}</p>`;
}

function renderPassword(
  texts: Texts,
  shown: { id: string; label: string; autocomplete: string; attributes: string; after?: string },
): string {
  const { id, label, autocomplete, attributes, after = '' } = shown;
  return [
    '<div class="field">',
    `<label for="${id}">${label}</label>`,
    '<div class="reveal">',
    `<input id="${id}" name="${id}" type="password" autocomplete="${autocomplete}" required${attributes}>`,
    `<button type="button" hidden data-reveals="${id}" aria-pressed="false" aria-label="${texts.text('access.showLabel')}">${texts.text('access.show')}</button>`,
    '</div>',
    after,
    '</div>',
  ].join('\n');
}

const addressOf = (next: string): string =>
  next === '/' ? '/sign-in' : `/sign-in?${new URLSearchParams({ next }).toString()}`;

function renderLanguages(texts: Texts, next: string): string {
  const rows = languages.map(({ locale, name, direction }) => {
    const query = new URLSearchParams({ language: locale, ...(next === '/' ? {} : { next }) });
    const current = locale === texts.locale ? ' aria-current="true"' : '';
    const href = html.escape(`/sign-in?${query.toString()}`);
    return `<li><a href="${href}" hreflang="${locale}" lang="${locale}" dir="${direction}"${current}>${name}</a></li>`;
  });
  return `<nav class="languages" aria-label="${texts.text('access.languages')}"><ul>${rows.join('')}</ul></nav>`;
}
