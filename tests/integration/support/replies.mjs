// Replies of a site: good, odd and hostile ones. Each row has a name, what gives the
// pieces of the reply for the user of a name, and `keeps` where the connection may be
// used again. `differs` gives the router's outcome, and why, where it is not that of
// most other clients.

import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';

import { end, reset } from './raw_site.mjs';

const body = (name) => JSON.stringify({ user_id: name });

// A head of the lines, and a body.
const head = (...lines) => `${lines.join('\r\n')}\r\n\r\n`;
const json = 'Content-Type: application/json';
const sized = (content, status = 'HTTP/1.1 200 OK', ...lines) =>
  Buffer.concat([Buffer.from(head(status, json, `Content-Length: ${Buffer.byteLength(content)}`, ...lines)),
    Buffer.from(content)]);
const chunks = (...parts) => parts.map((x) => `${x.length.toString(16)}\r\n${x}\r\n`).join('');
const chunked = (content, ...lines) => head('HTTP/1.1 200 OK', json, 'Transfer-Encoding: chunked', ...lines) + content;
const interim = (status, ...lines) => head(`HTTP/1.1 ${status}`, ...lines);
const hints = interim('103 Early Hints', 'Link: </a.css>; rel=preload');
const coded = (bytes, coding) => Buffer.concat([Buffer.from(head('HTTP/1.1 200 OK', json,
  `Content-Encoding: ${coding}`, `Content-Length: ${bytes.length}`)), bytes]);

// What makes a row: the pieces for the user of that name.
const rows = [];
const row = (name, pieces, more = {}) => rows.push({ name, pieces, ...more });
const keeps = { keeps: true };
const otherUser = sized(body('somebody-else'));

// -- ordinary -----------------------------------------------------------------

row('sized', (u) => [sized(body(u))], keeps);
row('chunked', (u) => [chunked(`${chunks(body(u))}0\r\n\r\n`)], keeps);
row('chunked-in-parts', (u) => [chunked(`${chunks(...body(u))}0\r\n\r\n`)], keeps);
row('until-close', (u) => [head('HTTP/1.1 200 OK', json, 'Connection: close') + body(u), end]);
row('until-close-unsaid', (u) => [head('HTTP/1.1 200 OK', json) + body(u), end]);
row('byte-by-byte', (u) => [...sized(body(u)).toString()].flatMap((x) => [x, 1]), keeps);
row('denied-401', () => [sized('{"ok":false}', 'HTTP/1.1 401 Unauthorized')], keeps);
row('denied-403', () => [sized('no', 'HTTP/1.1 403 Forbidden')], keeps);
row('denied-401-empty', () => [head('HTTP/1.1 401 Unauthorized', 'Content-Length: 0')], keeps);
row('no-content', () => [head('HTTP/1.1 204 No Content')]);
row('not-modified', () => [head('HTTP/1.1 304 Not Modified', 'ETag: "x"')]);
row('redirect', () => [sized('', 'HTTP/1.1 302 Found', 'Location: /login')], keeps);
row('server-error', () => [sized('{}', 'HTTP/1.1 500 Internal Server Error')], keeps);
row('close-said', (u) => [sized(body(u), undefined, 'Connection: close')]);
row('close-in-a-list', (u) => [sized(body(u), undefined, 'Connection: foo, Close')]);
row('keep-alive-said', (u) => [sized(body(u), undefined, 'Connection: keep-alive', 'Keep-Alive: timeout=5')], keeps);

// -- status line --------------------------------------------------------------

row('no-reason', (u) => [sized(body(u), 'HTTP/1.1 200 ')], keeps);
row('no-reason-no-space', (u) => [sized(body(u), 'HTTP/1.1 200')], keeps);
row('odd-reason', (u) => [sized(body(u), 'HTTP/1.1 200 Tr\u00e8s bien: 200 (OK)')], keeps);
row('status-200-all-good', (u) => [sized(body(u), 'HTTP/1.1 200 all good here')], keeps);
row('http-1.0-close', (u) => [head('HTTP/1.0 200 OK', json) + body(u), end]);
row('http-1.0-sized', (u) => [sized(body(u), 'HTTP/1.0 200 OK'), end]);
row('http-1.0-sized-stays', (u) => [sized(body(u), 'HTTP/1.0 200 OK')]);
row('http-1.0-keep-alive', (u) => [sized(body(u), 'HTTP/1.0 200 OK', 'Connection: keep-alive')], keeps);
row('http-1.2', (u) => [sized(body(u), 'HTTP/1.2 200 OK')]);
row('http-2.0', (u) => [sized(body(u), 'HTTP/2.0 200 OK')]);
row('http-0.9', (u) => [body(u), end]);
row('lower-case-http', (u) => [sized(body(u), 'http/1.1 200 OK')]);
row('two-spaces', (u) => [sized(body(u), 'HTTP/1.1  200 OK')]);
row('tab-for-space', (u) => [sized(body(u), 'HTTP/1.1\t200 OK')]);
row('leading-space', (u) => [sized(body(u), ' HTTP/1.1 200 OK')]);
row('status-of-two-digits', (u) => [sized(body(u), 'HTTP/1.1 20 OK')]);
row('status-of-four-digits', (u) => [sized(body(u), 'HTTP/1.1 2000 OK')]);
row('status-with-a-letter', (u) => [sized(body(u), 'HTTP/1.1 20O OK')]);
row('icy', (u) => [sized(body(u), 'ICY 200 OK')]);
row('blank-before', (u) => [`\r\n${sized(body(u))}`]);
row('rubbish-before', (u) => [`rubbish\r\n${sized(body(u))}`]);

// -- header lines -------------------------------------------------------------

row('lf-only', (u) => [sized(body(u)).toString().replaceAll('\r\n', '\n')]);
row('lf-after-status', (u) => [sized(body(u)).toString().replace('\r\n', '\n')]);
row('lf-at-the-end', (u) => [sized(body(u)).toString().replace('\r\n\r\n', '\r\n\n')]);
row('cr-only', (u) => [sized(body(u)).toString().replaceAll('\r\n', '\r')]);
row('folded', (u) => [sized(body(u), undefined, 'X-Long: one', '  two')]);
row('folded-by-tab', (u) => [sized(body(u), undefined, 'X-Long: one', '\ttwo')]);
row('folded-type', (u) => [head('HTTP/1.1 200 OK', 'Content-Type:', ' application/json', `Content-Length: ${body(u).length}`) + body(u)]);
row('folded-first-line', (u) => [sized(body(u)).toString().replace('\r\n', '\r\n folded: x\r\n')]);
row('no-colon', (u) => [sized(body(u), undefined, 'this is no header')]);
row('no-name', (u) => [sized(body(u), undefined, ': value')]);
row('space-before-colon', (u) => [sized(body(u), undefined, 'X-Thing : value')]);
row('space-before-colon-of-length', (u) => [head('HTTP/1.1 200 OK', json, `Content-Length : ${body(u).length}`) + body(u), 30, end]);
row('space-in-name', (u) => [sized(body(u), undefined, 'X Thing: value')]);
row('latin-1-value', (u) => [Buffer.from(sized(body(u), undefined, 'X-Name: J\u00fcrgen').toString(), 'latin1')], keeps);
row('utf-8-value', (u) => [sized(body(u), undefined, 'X-Name: J\u00fcrgen')], keeps);
row('tab-in-value', (u) => [sized(body(u), undefined, 'X-Name: a\tb')], keeps);
row('nul-in-value', (u) => [sized(body(u), undefined, 'X-Name: a\0b')]);
row('control-in-value', (u) => [sized(body(u), undefined, 'X-Name: a\x01b')]);
row('no-space-after-colon', (u) => [sized(body(u)).toString().replaceAll(': ', ':')], keeps);
row('empty-value', (u) => [sized(body(u), undefined, 'X-Empty:')], keeps);
row('fifty-headers', (u) => [sized(body(u), undefined, ...Array.from({ length: 50 }, (_, i) => `X-${i}: y`))], keeps);
row('big-header', (u) => [sized(body(u), undefined, `X-Big: ${'x'.repeat(10000)}`)], keeps);
row('huge-header', (u) => [sized(body(u), undefined, `X-Huge: ${'x'.repeat(300000)}`)]);
row('endless-header', () => ['HTTP/1.1 200 OK\r\n', ...Array.from({ length: 500 }, (_, i) => `X-${i}: ${'y'.repeat(1000)}\r\n`)]);

// -- content type -------------------------------------------------------------

const typed = (type) => (u) => [head('HTTP/1.1 200 OK', type, `Content-Length: ${body(u).length}`) + body(u)];
row('type-with-charset', typed('Content-Type: application/json; charset=utf-8'), keeps);
row('type-in-capitals', typed('CONTENT-TYPE: Application/JSON'), keeps);
row('type-without-space', typed('Content-Type:application/json;charset=utf-8'), keeps);
row('type-with-spaces', typed('Content-Type:   application/json  ; charset=utf-8  '), keeps);

// -- length -------------------------------------------------------------------

const lengths = (...values) => (u) => [head('HTTP/1.1 200 OK', json,
  ...values.map((x) => `Content-Length: ${x(body(u).length)}`)) + body(u)];
row('length-twice-equal', lengths((n) => n, (n) => n));
row('length-list-equal', lengths((n) => `${n}, ${n}`));
row('length-twice-different', lengths((n) => n, (n) => n + 1));
row('length-twice-different-2', lengths((n) => n + 1, (n) => n));
row('length-leading-zeros', lengths((n) => `000${n}`));
row('length-plus', lengths((n) => `+${n}`));
row('length-hex', lengths((n) => `0x${n.toString(16)}`));
row('length-negative', lengths(() => -1));
row('length-empty', (u) => [head('HTTP/1.1 200 OK', json, 'Content-Length:') + body(u), 30, end]);
row('length-with-spaces', lengths((n) => `  ${n}  `), keeps);
row('length-rubbish', lengths((n) => `${n}x`));
row('length-too-big-for-64-bits', lengths(() => '99999999999999999999'));
row('length-too-long', (u) => [...lengths((n) => n + 5)(u), 30, end]);
row('length-too-short', lengths((n) => n - 1));
row('length-never-complete', lengths((n) => n + 5));

// -- transfer coding ----------------------------------------------------------

row('chunk-extension', (u) => [chunked(`${body(u).length.toString(16)};name=value;x="y"\r\n${body(u)}\r\n0\r\n\r\n`)], keeps);
row('chunk-extension-space', (u) => [chunked(`${body(u).length.toString(16)} ; name\r\n${body(u)}\r\n0\r\n\r\n`)]);
row('chunk-capital-hex', (u) => [chunked(`${chunks(body(u) + ' '.repeat(171 - body(u).length)).replace('ab', 'AB')}0\r\n\r\n`)], keeps);
row('chunk-leading-zeros', (u) => [chunked(`0000${chunks(body(u))}000\r\n\r\n`)], keeps);
row('chunk-size-space', (u) => [chunked(`${body(u).length.toString(16)}  \r\n${body(u)}\r\n0\r\n\r\n`)]);
row('chunk-lf', (u) => [chunked(`${chunks(body(u))}0\r\n\r\n`).replaceAll('\r\n', '\n')]);
row('trailers', (u) => [chunked(`${chunks(body(u))}0\r\nX-Trailer: y\r\nX-Other: z\r\n\r\n`)], keeps);
row('trailers-early', (u) => [chunked(`${chunks(body(u))}0\r\n`), 20, 'X-Trailer: y\r\n\r\n'], keeps);
row('chunk-size-rubbish', (u) => [chunked(`zz\r\n${body(u)}\r\n0\r\n\r\n`)]);
row('chunk-size-huge', (u) => [chunked(`fffffffffffffffff\r\n${body(u)}\r\n0\r\n\r\n`)]);
row('chunk-size-negative', (u) => [chunked(`-5\r\n${body(u)}\r\n0\r\n\r\n`)]);
row('chunk-too-long', (u) => [chunked(`${body(u).length.toString(16)}\r\n${body(u)}xx\r\n0\r\n\r\n`)]);
row('chunk-never-last', (u) => [chunked(chunks(body(u))), 30, end]);
row('chunk-cut', (u) => [chunked(`ff\r\n${body(u)}`), 30, end]);
row('chunk-no-final-line', (u) => [chunked(`${chunks(body(u))}0\r\n`), 30, end]);
row('coding-and-length', (u) => [chunked(`${chunks(body(u))}0\r\n\r\n`, 'Content-Length: 3')]);
row('length-and-coding', (u) => [head('HTTP/1.1 200 OK', json, `Content-Length: ${body(u).length}`, 'Transfer-Encoding: chunked') + `${chunks(body(u))}0\r\n\r\n`]);
row('coding-in-capitals', (u) => [chunked(`${chunks(body(u))}0\r\n\r\n`).replace('chunked', 'Chunked')], keeps);
row('coding-identity', (u) => [head('HTTP/1.1 200 OK', json, 'Transfer-Encoding: identity', `Content-Length: ${body(u).length}`) + body(u)]);
row('coding-unknown', (u) => [head('HTTP/1.1 200 OK', json, 'Transfer-Encoding: rot13') + body(u), end]);
row('coding-twice', (u) => [chunked(`${chunks(body(u))}0\r\n\r\n`, 'Transfer-Encoding: chunked')]);
row('coding-in-http-1.0', (u) => [chunked(`${chunks(body(u))}0\r\n\r\n`).replace('HTTP/1.1', 'HTTP/1.0'), end]);

// -- content coding and the body's beginning ----------------------------------

row('gzip', (u) => [coded(gzipSync(body(u)), 'gzip')], keeps);
row('x-gzip', (u) => [coded(gzipSync(body(u)), 'x-gzip')], keeps);
row('deflate', (u) => [coded(deflateSync(body(u)), 'deflate')], keeps);
row('deflate-raw', (u) => [coded(deflateRawSync(body(u)), 'deflate')], keeps);
row('coding-said-identity', (u) => [coded(Buffer.from(body(u)), 'identity')], keeps);
row('gzip-cut', (u) => [coded(gzipSync(body(u)).subarray(0, 20), 'gzip')]);
row('gzip-is-none', (u) => [coded(Buffer.from(body(u)), 'gzip')]);
row('coding-of-the-future', (u) => [coded(Buffer.from(body(u)), 'zippy')]);
row('gzip-bomb', (u) => [coded(gzipSync(body(u) + ' '.repeat(10_000_000)), 'gzip')]);
row('bom', (u) => [sized(`\ufeff${body(u)}`)], keeps);
row('white-space-around', (u) => [sized(`\r\n\t ${body(u)}\n\n`)], keeps);
row('bom-and-white-space', (u) => [sized(`\ufeff\n${body(u)}\n`)], keeps);

// -- interim ------------------------------------------------------------------

row('interim-103', (u) => [hints, sized(body(u))], keeps);
row('interim-103-late', (u) => [hints, 40, sized(body(u))], keeps);
row('interim-100', (u) => [interim('100 Continue'), sized(body(u))], keeps);
row('interim-100-late', (u) => [interim('100 Continue'), 40, sized(body(u))], keeps);
row('interim-102', (u) => [interim('102 Processing'), 20, sized(body(u))], keeps);
row('interim-several', (u) => [interim('100 Continue'), 10, interim('102 Processing'), hints, 10, hints, sized(body(u))],
  { keeps: true, differs: ['in', 'RFC 9110 15.2: a client takes any number of interim answers, expected or not'] });
row('interim-with-length', (u) => [interim('103 Early Hints', 'Content-Length: 18'), sized(body(u))]);
row('interim-199', (u) => [interim('199 Whatever'), sized(body(u))], keeps);
row('interim-switching', (u) => [interim('101 Switching Protocols', 'Upgrade: websocket', 'Connection: upgrade'), sized(body(u))]);
row('interim-switching-bare', (u) => [interim('101 Switching Protocols'), 20, sized(body(u))]);
row('interim-cut', () => [hints, 30, end]);
row('interim-only', () => [hints]);
row('interim-endless', () => Array.from({ length: 2000 }, () => hints));
row('interim-says-close', (u) => [interim('103 Early Hints', 'Connection: close'), sized(body(u))],
  { differs: ['in', 'RFC 9110 15.2: the answer is still to come'] });

// -- surplus, early, cut ------------------------------------------------------

row('surplus-answer', (u) => [Buffer.concat([sized(body(u)), otherUser])]);
row('surplus-answer-soon', (u) => [sized(body(u)), 5, otherUser]);
row('surplus-answer-late', (u) => [sized(body(u)), 60, otherUser]);
row('surplus-line-end', (u) => [Buffer.concat([sized(body(u)), Buffer.from('\r\n')])]);
row('surplus-after-chunks', (u) => [chunked(`${chunks(body(u))}0\r\n\r\n${otherUser}`)]);
row('surplus-after-no-content', () => [Buffer.concat([Buffer.from(head('HTTP/1.1 204 No Content')), otherUser])]);
row('surplus-after-401', () => [Buffer.concat([Buffer.from(head('HTTP/1.1 401 Unauthorized', 'Content-Length: 0')), otherUser])]);
row('surplus-after-close', (u) => [Buffer.concat([sized(body(u), undefined, 'Connection: close'), otherUser])]);
row('body-after-204', (u) => [head('HTTP/1.1 204 No Content', json, `Content-Length: ${body(u).length}`), 10, body(u)]);
row('body-after-304', (u) => [head('HTTP/1.1 304 Not Modified', json, `Content-Length: ${body(u).length}`), 10, body(u)]);
row('cut-in-status', () => ['HTTP/1.1 2', 20, end]);
row('cut-in-header', () => ['HTTP/1.1 200 OK\r\nContent-', 20, end]);
row('cut-before-body', (u) => [sized(body(u)).toString().split('{')[0], 20, end]);
row('cut-in-body', (u) => [sized(body(u)).subarray(0, -4), 20, end]);
row('reset-in-body', (u) => [sized(body(u)).subarray(0, -4), 20, reset]);
row('nothing-and-end', () => [end]);
row('nothing-and-reset', () => [reset]);
row('nothing', () => []);
row('tls-alert', () => [Buffer.from([0x15, 3, 1, 0, 2, 2, 70]), end]);
row('ssh-banner', () => ['SSH-2.0-OpenSSH_9.2\r\n']);

export { rows };
