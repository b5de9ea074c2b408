/** The page: what is typed first is a name, then what is said. */
import { loadChat } from './chat.js';

/** @template {Element} T @param {string} selector @returns {T} */
const find = (selector) => /** @type {T} */ (document.querySelector(selector));

const status = find('#status');
const list = find('#lines');
/** @type {HTMLFormElement} */
const form = find('#form');
/** @type {HTMLInputElement} */
const field = find('#text');
const label = find('label');
/** @type {HTMLButtonElement} */
const button = find('button');

/** @type {Awaited<ReturnType<Awaited<ReturnType<typeof loadChat>>['join']>> | undefined} */
let visitor;

/** A line is 'NAME: TEXT', or 'NAME has come', '... has left'. @param {string} line */
function show(line) {
  const item = document.createElement('li');
  const [, name, text] = /^(.*?): (.*)$/.exec(line) ?? [];
  if (name === undefined) item.className = 'news';
  else item.append(Object.assign(document.createElement('b'), { textContent: name }));
  item.append(text ?? line);
  list.append(item);
  item.scrollIntoView({ block: 'end' });
}

/** @param {string} name */
async function enter(name) {
  const chat = await loadChat('build/chat.wasm');
  const room = await (await fetch('room')).text();
  visitor = await chat.join(room, name);
  status.textContent = `connected to ${room}`;
  status.className = 'connected';
  label.textContent = 'Say';
  button.textContent = 'Send';
  field.maxLength = 200;
  hear(visitor.lines).finally(() => {
    status.textContent = 'the connection has ended; reload the page to enter again';
    status.className = '';
    field.disabled = true;
    button.disabled = true;
  });
}

/** @param {ReadableStream<string>} lines */
async function hear(lines) {
  const reader = lines.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) show(next.value);
}

field.focus();
form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const text = field.value.trim();
  field.value = '';
  if (visitor) return visitor.say(text);
  button.disabled = true; // until the connection is open
  try {
    await enter(text);
  } catch (error) {
    status.textContent = `${error}`;
  }
  button.disabled = false;
});
