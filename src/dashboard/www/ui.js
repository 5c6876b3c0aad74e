// Notes, questions and buttons that wait for their answer.
import { h } from './dom.js';

const NOTE_MS = 6000;

// A line that says what has happened; read out by screen readers.
export function note(text, kind = 'good') {
  const box = document.getElementById('notes');
  const line = h('p', { class: `note note-${kind}` }, text,
    h('button', { type: 'button', class: 'quiet', 'aria-label': 'Dismiss', onclick: () => line.remove() }, '×'));
  box.append(line);
  if (kind === 'good') setTimeout(() => line.remove(), NOTE_MS);
}

export function noteError(error) {
  if (error.name !== 'AbortError') note([error.message, error.hint].filter(Boolean).join(' '), 'bad');
}

// Buttons are off while it runs, so that nothing is done twice.
export async function busy(button, work) {
  if (button) button.disabled = true;
  try {
    return await work();
  } catch (error) {
    noteError(error);
    return undefined;
  } finally {
    if (button) button.disabled = false;
  }
}

// Ask; resolves to true or false.  With word, it must be typed first.
export function confirm({ title, text, button, word }) {
  return new Promise((resolve) => {
    const input = word && h('input', { id: 'confirm-word', autocomplete: 'off', required: true, pattern: word, inputmode: 'numeric' });
    const dialog = h('dialog', { 'aria-labelledby': 'confirm-title' },
      h('form', { method: 'dialog' },
        h('h2', { id: 'confirm-title' }, title), h('p', {}, text),
        input && h('p', {}, h('label', { for: 'confirm-word' }, `Type ${word} to go on: `), input),
        h('div', { class: 'actions' },
          h('button', { type: 'button', onclick: () => dialog.close('') }, 'Leave it'),
          h('button', { type: 'submit', value: 'yes', class: 'strong' }, button))));
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === 'yes');
    });
    document.body.append(dialog);
    dialog.showModal();
    (input ?? dialog.querySelector('button')).focus();
  });
}

// Call work() now and every so often, one at a time, until the view is left.  Pages that
// nobody sees ask for nothing.
export function repeat(work, everyMs, signal) {
  let timer;
  const turn = async () => {
    try {
      if (!document.hidden) await work();
    } catch (error) {
      noteError(error);
    }
    if (!signal.aborted) timer = setTimeout(turn, everyMs);
  };
  signal.addEventListener('abort', () => clearTimeout(timer));
  return turn();
}
