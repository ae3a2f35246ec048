/** Everything on the page is made here, of text: nothing that comes out of the database can become markup. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === 'function') made.addEventListener(key, value);
    else if (value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

export function section(title, ...children) {
  return element('section', {}, element('h2', {}, title), ...children);
}

/** `columns`: `[title, cell of a row, class]`; the first one names the row. */
export function table(caption, columns, rows) {
  if (rows.length === 0) return element('p', { class: 'quiet' }, 'None.');
  const head = columns.map(([title, , kind]) => element('th', { scope: 'col', class: kind }, title));
  const body = rows.map((row) =>
    element(
      'tr',
      {},
      ...columns.map(([, cell], index) =>
        index === 0 ? element('th', { scope: 'row' }, cell(row)) : element('td', {}, cell(row) ?? ''),
      ),
    ),
  );
  const made = element(
    'table',
    {},
    element('caption', {}, caption),
    element('thead', {}, element('tr', {}, ...head)),
    element('tbody', {}, ...body),
  );
  // On a phone it is wider than the screen: whoever has no mouse must be able to reach it to scroll it.
  return element('div', { class: 'scroll', role: 'region', 'aria-label': caption, tabindex: '0' }, made);
}

/** Pairs of a name and what it is; those that are `undefined` are left out. */
export function facts(pairs) {
  const given = pairs.filter(([, value]) => value !== undefined);
  return element(
    'dl',
    {},
    ...given.map(([name, value]) => element('div', {}, element('dt', {}, name), element('dd', {}, value))),
  );
}

export function button(title, click) {
  return element('button', { type: 'button', click }, title);
}

/** One that asks back: what it does cannot be undone. */
export function carefulButton(title, question, click) {
  const made = button(title, () => {
    if (made.textContent === question) return click();
    made.textContent = question;
  });
  made.addEventListener('blur', () => (made.textContent = title));
  return made;
}

export function chip(text, kind) {
  return element('span', { class: kind }, text);
}

/** A moment, and how long before or after `now` that is. */
export function moment(iso, now) {
  if (iso === undefined) return '';
  const at = new Date(iso);
  const away = new Date(now) - at;
  const distance = away >= 0 ? `${duration(away)} ago` : `in ${duration(-away)}`;
  return element('time', { datetime: iso, title: iso }, `${at.toLocaleString()} (${distance})`);
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
];

export function duration(milliseconds) {
  if (milliseconds < 1_000) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 60_000) return `${(milliseconds / 1_000).toFixed(1)} s`;
  const first = UNITS.findIndex(([, size]) => milliseconds >= size);
  const [unit, size] = UNITS[first];
  const [smallerUnit, smaller] = UNITS[first + 1];
  const rest = Math.floor((milliseconds % size) / smaller);
  return `${Math.floor(milliseconds / size)} ${unit}${rest > 0 ? ` ${rest} ${smallerUnit}` : ''}`;
}
