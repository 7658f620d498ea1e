// Better manners for the server's own forms, which work without this: one press sends once, a password can be looked at,
// and an invitation is taken out of the address.
import './sign-in.css';

for (const form of document.forms) {
  form.addEventListener('submit', (event) => {
    const button = form.querySelector<HTMLButtonElement>('button.main');
    if (button === null) return;
    if (button.getAttribute('aria-disabled') === 'true') event.preventDefault();
    button.setAttribute('aria-disabled', 'true');
    button.textContent = button.dataset['busy'] ?? button.textContent;
  });
}

for (const button of document.querySelectorAll<HTMLButtonElement>('button[data-reveals]')) {
  const input = document.getElementById(button.dataset['reveals'] ?? '') as HTMLInputElement | null;
  if (input === null) continue;
  button.hidden = false;
  button.addEventListener('click', () => {
    const isShown = input.type === 'password';
    input.type = isShown ? 'text' : 'password';
    button.setAttribute('aria-pressed', String(isShown));
    input.focus();
  });
  // What is shown is sent as a password again, so that no browser offers it later among plain texts.
  input.form?.addEventListener('submit', () => {
    input.type = 'password';
  });
}

// A page that comes back out of the browser's memory is as it was left: busy.
addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload();
});

const token = document.querySelector<HTMLInputElement>('input[data-from-address]');
if (token !== null && location.hash.length > 1) {
  token.value = location.hash.slice(1);
  const field = token.closest<HTMLElement>('.field');
  if (field !== null) field.hidden = true;
  // The link is good once; it does not stay in the history.
  history.replaceState(null, '', location.pathname);
}
const first =
  document.querySelector<HTMLElement>('[data-first]') ??
  document.querySelector<HTMLElement>('input:not([type=hidden], [hidden])');
first?.focus();
