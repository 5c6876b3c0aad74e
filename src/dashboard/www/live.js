// The overview as it changes: one event stream for all who want it, none when nobody does.
import { address, session } from './api.js';
import { setNow } from './format.js';

const listeners = new Set();
let source = null;
let last = null;
let tell = () => {};

function open() {
  source = new EventSource(address('live'));
  source.addEventListener('overview', (event) => {
    last = JSON.parse(event.data);
    setNow(last.now);
    tell('live');
    for (const f of listeners) f(last);
  });
  source.addEventListener('error', () => {
    tell('waiting');
    // Refused for good: is there still a session?
    if (source?.readyState === EventSource.CLOSED) {
      close();
      session().then(() => setTimeout(() => listeners.size && !source && open(), 2000),
        () => setTimeout(() => listeners.size && !source && open(), 5000));
    }
  });
}

function close() {
  source?.close();
  source = null;
}

// f(overview) for each, until signal is aborted; at once with the last one, if it is there.
export function subscribe(f, signal) {
  listeners.add(f);
  if (!source) open();
  if (last) f(last);
  signal.addEventListener('abort', () => {
    listeners.delete(f);
    if (listeners.size === 0) {
      close();
      last = null;
      tell('');
    }
  });
}

// f('live' | 'waiting' | ''): how the stream is.
export const onLink = (f) => { tell = f; };
