import { find, get } from './api.js';
import { jobList, jobView } from './job.js';
import { serviceView } from './service.js';

const main = document.getElementById('main');
const form = document.getElementById('find');
const FIELDS = ['job', 'key', 'reference'];
/** Of two loads under way, the one that began later is shown, whichever ends first. */
let latest = 0;
/** What the address asked for when it was read last. */
let asked;

form.addEventListener('submit', (event) => {
  event.preventDefault();
  const { by, value, type } = Object.fromEntries(new FormData(form));
  const ofType = by === 'key' && type.trim() !== '' ? { type: type.trim() } : {};
  go(`?${new URLSearchParams({ [by]: value.trim(), ...ofType })}`);
});
form.elements.by.addEventListener('change', offerType);
document.getElementById('refresh').addEventListener('click', () => void show());
document.getElementById('whole').addEventListener('click', (event) => {
  event.preventDefault();
  go('?');
});
addEventListener('popstate', () => {
  // A link within the page comes here too: what was just reached by it must not be replaced.
  if (location.search !== asked) void show();
});
void show();

function go(address) {
  history.pushState(undefined, '', address === '?' ? location.pathname : address);
  void show();
}

/** Shows what the address asks for, and after it what has just been done. */
async function show(done = '') {
  const mine = ++latest;
  asked = location.search;
  main.setAttribute('aria-busy', 'true');
  try {
    const settings = await get('settings');
    const view = await viewOf(new URLSearchParams(asked), { ...settings, act });
    if (mine === latest) render(view, done);
  } catch (error) {
    if (mine === latest) fail(error);
  }
}

async function viewOf(query, context) {
  const by = FIELDS.find((field) => query.has(field));
  form.elements.by.value = by ?? 'job';
  form.elements.value.value = by === undefined ? '' : query.get(by);
  form.elements.type.value = query.get('type') ?? '';
  offerType();
  if (by === undefined) return serviceView(context);
  if (by === 'job') return jobView(query.get('job'), context);
  const ofType = query.has('type') ? { type: query.get('type') } : {};
  const found = await find({ [by]: query.get(by), ...ofType });
  const { jobs } = found;
  if (jobs.length === 0) throw new Error(`There is no job with the ${by} ${query.get(by)} (any more).`);
  return jobs.length === 1 ? jobView(jobs[0].id, context) : jobList(found);
}

/** A key belongs to a type. */
function offerType() {
  document.getElementById('type').hidden = form.elements.by.value !== 'key';
}

async function act(action, done) {
  try {
    await action();
    await show(done);
  } catch (error) {
    tell('alert', error.message);
  }
}

function render(view, done) {
  main.replaceChildren(...view.filter((part) => part !== undefined));
  main.removeAttribute('aria-busy');
  tell('alert', '');
  tell('status', done);
  // The button that was pressed is gone with what it stood in.
  if (done !== '') main.focus();
}

function fail(error) {
  main.replaceChildren();
  main.removeAttribute('aria-busy');
  tell('status', '');
  tell('alert', error.message);
}

function tell(where, text) {
  document.getElementById(where).textContent = text;
}
