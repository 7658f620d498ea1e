// What stands under all parts: fonts, tokens, plain elements, and what React Aria needs under a strict policy. Imported first.
import './fonts/fonts.css';
import './tokens.css';
import './base.css';

interface TrustedTypePolicies {
  createPolicy(name: string, rules: { createHTML(html: string): string | null }): unknown;
}

// React Aria's announcer empties a region by `innerHTML = ''`. Only that is let through: markup from a string never is.
const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypePolicies };
trustedTypes?.createPolicy('default', { createHTML: (html) => (html === '' ? html : null) });
