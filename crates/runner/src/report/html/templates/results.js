'use strict';
// Everything that a test or its guest has said is put into the page as text, never as markup.
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const data = (id) => { const block = document.getElementById(id); return block ? JSON.parse(block.textContent) : null; };
  let shared = null;
  const allParams = () => { shared ||= data('params'); return shared; };
  const body = $('#tests tbody');
  const rows = $$('tr[data-word]', body);
  const number = (row) => Number(row.id.slice(1));
  const failed = (row) => ['FAIL', 'ERROR', 'INTERRUPTED', 'UNFINISHED'].includes(row.dataset.word);

  function el(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes || {})) {
      if (value === undefined || value === null || value === false) continue;
      if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
      else if (key === 'class') element.className = value;
      else element.setAttribute(key, value === true ? '' : value);
    }
    element.append(...children.flat(2).filter((child) => child !== null && child !== undefined));
    return element;
  }

  function time(ms) {
    if (ms < 1000) return `${ms} ms`;
    if (ms < 60000) return `${(Math.floor(ms / 10) / 100).toFixed(2)} s`;
    const seconds = Math.floor(ms / 1000);
    return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`;
  }

  // A link only where it leads to a page: other schemes could run something.
  const outward = (link) => /^https?:\/\//i.test(link)
    ? el('a', { href: link, rel: 'noreferrer noopener', target: '_blank' }, link) : link;

  // --- One test ------------------------------------------------------------------------------

  function card(row) {
    const test = data(`d${number(row)}`);
    if (!test) return el('div', { class: 'card' }, 'nothing more is known of this test');
    return el('div', { class: 'card' },
      story(test.story, row.dataset.word !== 'PASS'), tries(test), timeline(test), facts(test),
      shots(test), logs(test), params(test), files(test));
  }

  function story(told, first) {
    const parts = [];
    const message = told.message || '';
    if (told.cause || message) parts.push(el('p', { class: 'why' }, told.cause ? el('b', {}, told.cause) : null, told.cause && message ? ': ' : '', message));
    if (told.shown_by) parts.push(el('p', { class: 'say' }, told.shown_by));
    if (told.contexts.length) parts.push(el('p', { class: 'path' }, 'while ', told.contexts.map((context) => el('span', {}, context))));
    if (told.known) parts.push(el('p', { class: 'say' }, 'known failure: ', told.known.reason, told.known.link ? [' (', outward(told.known.link), ')'] : null));
    told.remarks.forEach((remark) => parts.push(el('p', { class: 'say' }, remark)));
    if (told.source) {
      parts.push(el('h3', {}, told.source.place));
      if (told.source.lines.length) parts.push(el('pre', { class: 'source' }, told.source.lines.map(([line, text]) =>
        el('span', { class: line === told.source.line ? 'this' : 'near' }, el('span', { class: 'no' }, String(line)), text || ' '))));
    }
    const block = (title, of, lines) => el('div', {}, el('h3', {}, title, el('span', { class: 'count' }, of)), el('pre', {}, lines.join('\n')));
    const left = told.output.length ? [block('said last', '', told.output)] : [];
    const right = [];
    told.tails.forEach((tail) => (tail.of === 'console' ? right : left).push(block(tail.of, `${tail.more ? 'the last lines of ' : ''}${tail.file}`, tail.lines)));
    if (left.length || right.length) parts.push(el('div', { class: 'two' }, [left, right].filter((side) => side.length).map((side) => el('div', {}, side))));
    if (told.attach.length || told.scripts.length) {
      parts.push(el('h3', {}, 'get at it'));
      told.attach.forEach((command) => parts.push(el('p', { class: 'say' }, 'left alive: ', el('code', {}, command))));
      told.scripts.forEach((script) => parts.push(el('p', { class: 'say' }, 'the machine by hand: ', el('code', {}, `sh ${/^[\w./=:,@+%-]+$/.test(script) ? script : `'${script.replaceAll("'", "'\\''")}'`}`))));
    }
    if (told.backtrace) parts.push(el('details', { class: 'try' }, el('summary', {}, 'backtrace'), el('pre', {}, told.backtrace)));
    return first || parts.length ? parts : [];
  }

  function tries(test) {
    if (!test.earlier.length) return [];
    return [el('h3', {}, `earlier tries, which do not count`), test.earlier.map((one) =>
      el('details', { class: `try ${one.word.toLowerCase()}` },
        el('summary', {}, `try ${one.attempt} `, el('span', { class: 'badge' }, one.word), ` ${time(one.duration_ms)} ${one.story.message} `, el('a', { href: one.href }, 'files')),
        story(one.story, true)))];
  }

  function timeline(test) {
    const end = Math.max(test.duration_ms, ...test.phases.map((phase) => phase.start_ms + phase.duration_ms), 1);
    const parts = [el('h3', {}, 'time', el('span', { class: 'count' }, `${test.began}, worker ${test.worker}${test.iteration > 1 ? `, repetition ${test.iteration}` : ''}`))];
    if (test.phases.length) {
      const line = el('div', { class: 'line' });
      for (const phase of test.phases) {
        const bar = el('i', { class: `${phase.phase}${phase.error ? ' bad' : ''}`, title: `${phase.phase}: ${time(phase.duration_ms)}${phase.error ? `: ${phase.error}` : ''}` }, phase.phase);
        bar.style.left = `${100 * phase.start_ms / end}%`;
        bar.style.width = `${100 * phase.duration_ms / end}%`;
        line.append(bar);
      }
      for (const slow of test.slow) {
        const tick = el('u', { title: `after ${time(slow.after_ms)}: ${slow.waiting_for}` });
        tick.style.left = `${100 * Math.min(slow.at_ms / end, 0.995)}%`;
        line.append(tick);
      }
      parts.push(line, el('p', { class: 'legend' }, test.phases.map((phase) => el('span', {}, `${phase.phase} ${time(phase.duration_ms)}${phase.error ? ', went wrong' : ''}`))));
    }
    const said = [...test.notes.map((note) => [note.at_ms, note.text, note.warning]),
      ...test.slow.map((slow) => [slow.at_ms, `${time(slow.after_ms)} in ${slow.phase}, waiting for ${slow.waiting_for}`, true])].sort((a, b) => a[0] - b[0]);
    if (said.length) parts.push(el('ul', { class: 'notes' }, said.map(([at, text, warning]) => el('li', { class: warning ? 'warning' : null }, el('time', {}, time(at)), el('span', {}, text)))));
    return parts;
  }

  function facts(test) {
    const entries = Object.entries(test.facts);
    if (!entries.length) return [];
    return [el('h3', {}, 'facts'), el('table', {}, el('tbody', {}, entries.map(([key, value]) => el('tr', {}, el('td', {}, key), el('td', {}, value)))))];
  }

  function params(test) {
    if (!test.params.length) return [];
    const all = allParams();
    const lines = test.params.map((index) => all[index]);
    const place = el('div', { class: 'params' });
    const count = el('span', { class: 'count' });
    const show = (wanted) => {
      const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
      const hits = lines.filter((line) => words.every((word) => line.join(' ').toLowerCase().includes(word)));
      place.replaceChildren(el('table', {}, el('tbody', {}, hits.map(([key, value, origin]) => el('tr', {}, el('td', {}, key), el('td', {}, value), el('td', {}, origin))))));
      count.textContent = hits.length === lines.length ? `${lines.length}` : `${hits.length} of ${lines.length}`;
    };
    show('');
    const input = el('input', { class: 'small', type: 'search', placeholder: 'find', 'aria-label': 'find a param', oninput: (event) => show(event.target.value) });
    return [el('h3', {}, 'params', count, input), place];
  }

  function shots(test) {
    const shown = test.files.filter((file) => file.kind === 'image' || file.kind === 'video');
    if (!shown.length) return [];
    return [el('h3', {}, 'screens'), el('div', { class: 'shots' }, shown.map((file) => el('figure', {},
      file.kind === 'image'
        ? el('img', { src: file.data || file.href, alt: file.name, loading: 'lazy', onclick: (event) => event.target.classList.toggle('large') })
        : el('video', { src: file.href, controls: true, preload: 'none' }),
      el('figcaption', {}, el('a', { href: file.href }, file.name)))))];
  }

  function files(test) {
    return [el('h3', {}, 'files'), el('p', { class: 'files' }, el('a', { href: test.href }, test.directory || 'folder'), test.files.map((file) => el('a', { href: file.href }, file.name)))];
  }

  function logs(test) {
    const all = test.files.filter((file) => file.text !== undefined);
    if (!all.length) return [];
    const pre = el('pre', { class: 'log', tabindex: '0' });
    const info = el('span', {});
    const hits = el('span', {});
    let current = all.find((file) => file.name.startsWith('serial-')) || all[0];
    let marks = [];
    let at = -1;
    const go = (step) => {
      if (!marks.length) return;
      if (marks[at]) marks[at].classList.remove('this');
      at = (at + step + marks.length) % marks.length;
      marks[at].classList.add('this');
      pre.scrollTop = marks[at].offsetTop - pre.offsetTop - pre.clientHeight / 2;
      hits.textContent = `${at + 1} of ${marks.length}`;
    };
    const find = el('input', { class: 'small', type: 'search', placeholder: 'find in this log', 'aria-label': 'find in this log',
      oninput: () => show(), onkeydown: (event) => { if (event.key === 'Enter') { event.preventDefault(); go(event.shiftKey ? -1 : 1); } } });
    const tabs = all.map((file) => el('button', { type: 'button', role: 'tab', onclick: () => { current = file; show(); } }, file.name));
    function show() {
      tabs.forEach((tab, index) => tab.setAttribute('aria-selected', all[index] === current));
      pre.replaceChildren(...marked(current.text, find.value));
      marks = $$('mark', pre);
      at = -1;
      hits.textContent = find.value ? `${marks.length} found` : '';
      info.replaceChildren(current.cut ? `the last part of ` : '', el('a', { href: current.href }, current.name));
      if (find.value) go(1); else pre.scrollTop = pre.scrollHeight;
    }
    const previous = el('button', { type: 'button', class: 'small', 'aria-label': 'previous', onclick: () => go(-1) }, '↑');
    const next = el('button', { type: 'button', class: 'small', 'aria-label': 'next', onclick: () => go(1) }, '↓');
    show();
    return [el('h3', {}, 'logs'), el('div', { class: 'tabs', role: 'tablist' }, tabs), el('div', { class: 'bar' }, find, previous, next, hits, el('span', { class: 'grow' }), info), pre];
  }

  // The text in pieces, with what is looked for marked: at most a thousand times.
  function marked(text, wanted) {
    if (!wanted) return [text];
    const pieces = [];
    const low = text.toLowerCase();
    const find = wanted.toLowerCase();
    let from = 0;
    // Where small letters are longer than capital ones, places would not fit.
    const place = low.length === text.length ? low : text;
    for (let at = place.indexOf(find); at >= 0 && pieces.length < 2000; at = place.indexOf(find, from)) {
      pieces.push(text.slice(from, at), el('mark', {}, text.slice(at, at + find.length)));
      from = at + find.length;
    }
    pieces.push(text.slice(from));
    return pieces;
  }

  // --- The table -----------------------------------------------------------------------------

  const details = (row) => row.nextElementSibling && row.nextElementSibling.classList.contains('details') ? row.nextElementSibling : null;

  function open(row) {
    if (details(row)) return;
    const content = card(row);
    row.after(el('tr', { class: `details ${row.className.replace('at', '').trim()}` }, el('td', { colspan: '5' }, content)));
    $('a', row).setAttribute('aria-expanded', 'true');
    $$('pre.log', content).forEach((log) => { log.scrollTop = log.scrollHeight; });
  }

  function close(row) {
    const more = details(row);
    if (more) more.remove();
    $('a', row).setAttribute('aria-expanded', 'false');
  }

  function toggle(row) {
    select(row);
    if (details(row)) close(row); else { open(row); remember(row); }
  }

  function remember(row) {
    try { history.replaceState(null, '', `#${number(row)}`); } catch { location.hash = number(row); }
  }

  let at = null;
  function select(row) {
    if (at) at.classList.remove('at');
    at = row;
    at.classList.add('at');
  }

  function step(direction, wanted = () => true) {
    const shown = $$('tr[data-word]:not([hidden])', body);
    let index = at ? shown.indexOf(at) : (direction > 0 ? -1 : shown.length);
    for (index += direction; shown[index]; index += direction) {
      if (!wanted(shown[index])) continue;
      select(shown[index]);
      $('a', at).focus({ preventScroll: true });
      at.scrollIntoView({ block: 'nearest' });
      return;
    }
  }

  const input = $('#filter');
  const chips = $$('#chips .chip');
  const haystack = new Map();

  function filter() {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = chips.filter((chip) => chip.getAttribute('aria-pressed') === 'true').map((chip) => chip.dataset.word);
    let shown = 0;
    for (const row of rows) {
      if (words.length && !haystack.has(row)) haystack.set(row, [...row.cells].map((cell) => cell.textContent).join(' ').toLowerCase());
      const fits = (!wanted.length || wanted.includes(row.dataset.word) || (wanted.includes('FLAKY') && 'flaky' in row.dataset))
        && words.every((word) => haystack.get(row).includes(word));
      row.hidden = !fits;
      const more = details(row);
      if (more) more.hidden = !fits;
      shown += fits;
    }
    $('#shown').textContent = shown === rows.length ? `${shown} test${shown === 1 ? '' : 's'}` : `${shown} of ${rows.length}`;
    $('#nothing').hidden = shown > 0 || !rows.length;
    draw();
  }

  function clear() {
    input.value = '';
    chips.forEach((chip) => chip.setAttribute('aria-pressed', 'false'));
    filter();
  }

  const worst = ['UNFINISHED', 'INTERRUPTED', 'ERROR', 'FAIL', 'KNOWN', 'WARN', 'CANCEL', 'SKIP', 'PASS'];
  const keys = {
    n: number,
    o: (row) => worst.indexOf(row.dataset.word),
    name: (row) => row.cells[2].textContent,
    why: (row) => row.cells[3].textContent || '\uffff',
    t: (row) => Number(row.dataset.ms),
  };

  function sort(heading) {
    const key = keys[heading.dataset.key];
    const was = heading.getAttribute('aria-sort');
    // Of times, the longest are what people look for first.
    const down = was ? was === 'ascending' : heading.dataset.key === 't';
    $$('#tests th').forEach((other) => other.removeAttribute('aria-sort'));
    heading.setAttribute('aria-sort', down ? 'descending' : 'ascending');
    const compare = new Intl.Collator('en', { numeric: true }).compare;
    const keyed = rows.map((row) => [key(row), row]);
    keyed.sort(([a, one], [b, other]) => (typeof a === 'number' ? a - b : compare(a, b)) * (down ? -1 : 1) || number(one) - number(other));
    const sorted = document.createDocumentFragment();
    for (const [, row] of keyed) {
      const more = details(row);
      sorted.append(row);
      if (more) sorted.append(more);
    }
    body.append(sorted);
  }

  // --- The run over time ---------------------------------------------------------------------

  const canvas = $('#chart');
  const lane = 14;
  const workers = rows.length ? Math.max(...rows.map((row) => Number(row.dataset.worker))) : 0;
  const total = Math.max(1, ...rows.map((row) => Number(row.dataset.at) + Number(row.dataset.ms)));

  function draw() {
    if (rows.length < 2 || workers > 64) return;
    $('#lanes').hidden = false;
    const width = canvas.clientWidth;
    const height = workers * lane + 4;
    const ratio = devicePixelRatio || 1;
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    canvas.style.height = `${height}px`;
    const context = canvas.getContext('2d');
    context.scale(ratio, ratio);
    const tones = {};
    for (const row of rows) {
      const word = row.dataset.word;
      tones[word] ||= getComputedStyle(row).getPropertyValue('--tone').trim();
      const left = width * row.dataset.at / total;
      const wide = Math.max(1, width * row.dataset.ms / total - 0.5);
      context.globalAlpha = row.hidden ? 0.12 : failed(row) ? 1 : 0.65;
      context.fillStyle = tones[word] || '#888';
      context.fillRect(left, 2 + (row.dataset.worker - 1) * lane + 1, wide, lane - 2);
    }
  }

  function under(event) {
    const place = event.offsetX / canvas.clientWidth * total;
    const worker = Math.floor((event.offsetY - 2) / lane) + 1;
    const near = total / canvas.clientWidth * 2;
    let best = null;
    for (const row of rows) {
      const start = Number(row.dataset.at);
      if (Number(row.dataset.worker) !== worker || place < start - near || place > start + Number(row.dataset.ms) + near) continue;
      if (!best || failed(row)) best = row;
    }
    return best;
  }

  canvas.addEventListener('mousemove', (event) => {
    const row = under(event);
    $('#chart-tip').textContent = row ? `${row.dataset.word} ${$('a', row).textContent}, ${row.cells[4].textContent}, from ${time(Number(row.dataset.at))} on` : '';
  });
  canvas.addEventListener('mouseleave', () => { $('#chart-tip').textContent = ''; });
  canvas.addEventListener('click', (event) => { const row = under(event); if (row) show(row); });

  // --- What people do ------------------------------------------------------------------------

  function show(row) {
    if (row.hidden) clear();
    open(row);
    select(row);
    remember(row);
    row.scrollIntoView({ block: 'start' });
    scrollBy(0, -$('#tools').offsetHeight);
  }

  function followHash() {
    const row = document.getElementById(`t${location.hash.slice(1)}`);
    if (row && rows.includes(row)) show(row);
  }

  body.addEventListener('click', (event) => {
    const row = event.target.closest('tr[data-word]');
    if (!row || (event.target.closest('a') && (event.ctrlKey || event.metaKey)) || String(getSelection())) return;
    event.preventDefault();
    toggle(row);
  });
  $$('#tests th').forEach((heading) => $('button', heading).addEventListener('click', () => sort(heading)));
  chips.forEach((chip) => chip.addEventListener('click', () => { chip.setAttribute('aria-pressed', chip.getAttribute('aria-pressed') !== 'true'); filter(); }));
  input.addEventListener('input', filter);
  $('#clear').addEventListener('click', clear);
  $('#fold').addEventListener('click', () => rows.forEach(close));
  $('#theme').addEventListener('click', () => {
    const root = document.documentElement;
    const system = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
    const wanted = (root.dataset.theme || system) === 'dark' ? 'light' : 'dark';
    if (wanted === system) delete root.dataset.theme; else root.dataset.theme = wanted;
    draw();
  });
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target.matches('input');
    if (event.key === 'Escape') { if (typing && !input.value) event.target.blur(); if (event.target === input || !typing) clear(); return; }
    if (typing) { if (event.key === 'Enter' && event.target === input) { at = null; step(1); } return; }
    const acts = { '/': () => { input.focus(); input.select(); }, j: () => step(1), k: () => step(-1), n: () => step(1, failed), N: () => step(-1, failed) };
    if (acts[event.key]) { event.preventDefault(); acts[event.key](); }
  });
  addEventListener('hashchange', followHash);
  addEventListener('resize', draw);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
  addEventListener('beforeprint', () => rows.filter((row) => failed(row) && !row.hidden).slice(0, 50).forEach(open));

  $$('#tools, #theme, #keys').forEach((element) => { element.hidden = false; });
  $$('a', body).forEach((link) => link.setAttribute('aria-expanded', 'false'));
  filter();
  const failures = rows.filter(failed);
  if (location.hash.length > 1) followHash(); else if (failures.length === 1 || (failures.length && rows.length <= 20)) open(failures[0]);
  document.documentElement.dataset.ready = '1';
})();
