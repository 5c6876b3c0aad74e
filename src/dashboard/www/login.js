// The login: the operators' token, sent once, kept nowhere.
import * as api from './api.js';
import { h } from './dom.js';

export function showLogin(root, why, start) {
  const input = h('input', { id: 'token', type: 'password', name: 'token', autocomplete: 'current-password',
    required: true, spellcheck: 'false', autocapitalize: 'off' });
  const problem = h('p', { class: 'problem', role: 'alert', hidden: true });
  const button = h('button', { type: 'submit', class: 'strong' }, 'Log in');
  const form = h('form', { class: 'login' },
    h('h1', {}, 'pgcrew'),
    why && h('p', {}, why),
    h('label', { for: 'token' }, 'Operators’ token'), input,
    h('p', { class: 'hint' }, 'It is in the file that dashboard.token_file names on the host.'),
    problem, button);
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    button.disabled = true;
    problem.hidden = true;
    try {
      start(await api.login(input.value));
    } catch (error) {
      problem.textContent = [error.message, error.hint].filter(Boolean).join(' ');
      problem.hidden = false;
      input.select();
    } finally {
      button.disabled = false;
    }
  });
  root.replaceChildren(form);
  input.focus();
}
