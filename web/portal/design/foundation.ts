// What stands under all parts: fonts, tokens, plain elements, and what React Aria needs under a strict policy. Imported first.
import './fonts/fonts.css';
import './tokens.css';
import './base.css';

// React Aria looks for an element of this name before it adds a style element of its own, which the policy refuses.
// NOTE: its one rule stands in base.css instead; docs/decisions/0014-design-system.md says how it was found.
const pressableStyle = 'react-aria-pressable-style';
if (document.getElementById(pressableStyle) === null) {
  const mark = document.createElement('meta');
  mark.id = pressableStyle;
  document.head.append(mark);
}

interface TrustedTypePolicies {
  createPolicy(name: string, rules: { createHTML(html: string): string | null }): unknown;
}

// Its announcer empties a region by `innerHTML = ''`. Only that is let through: markup from a string never is.
const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypePolicies };
trustedTypes?.createPolicy('default', { createHTML: (html) => (html === '' ? html : null) });
