// A real OAuth 2 provider on loopback, for the tests: oidc-provider over HTTPS, and beside it, on a port of its own, a
// channel for what tests change and ask while it runs.
//
// It is told its settings in one line of JSON on standard input, says in one line where it is, and ends when its input
// ends:
//
//   {"certificate": "server.pem", "key": "server.key", "adminSecret": "...", "clientId": "popfetch", ...}
//   {"issuer": "https://localhost:40001", "admin": "http://127.0.0.1:40002"}

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createHttp } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { createInterface } from 'node:readline';

import { DEVICE_GRANT, interactions, makeProvider } from './provider.js';

const WITH_TROUBLE = {
  '/token': 'token',
  '/token/revocation': 'revocation',
  '/token/introspection': 'introspection',
  '/device/auth': 'device_authorization',
};

const settings = JSON.parse((await once(createInterface({ input: process.stdin }), 'line'))[0]);
process.stdin.on('end', () => process.exit(0));

const counters = {
  codeExchanges: 0, refreshes: 0, refusedRefreshes: 0, reuses: 0, concurrent: 0, devicePolls: 0, introspections: 0,
  revocations: 0,
};
const troubles = {};
const hanging = new Set();
const used = new Set();
const inProgress = new Map();
const seen = { idTokens: [], userCodes: [], verifiers: [] };

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

const pause = (seconds) => new Promise((resolve) => { setTimeout(resolve, seconds * 1000); });

// --- The provider ---------------------------------------------------------------------------------------------------

const https = createHttps({ cert: readFileSync(settings.certificate), key: readFileSync(settings.key) });
https.listen(0, '127.0.0.1');
await once(https, 'listening');
const issuer = `https://localhost:${https.address().port}`;

const { provider, store } = makeProvider(issuer, settings);
const pass = provider.callback();
const { show, decide } = interactions(provider);

provider.on('refresh_token.consumed', (token) => used.add(token.jti));
provider.on('server_error', (_ctx, error) => console.error(error));
provider.on('grant.success', (ctx) => {
  if (ctx.oidc.params.grant_type === 'authorization_code') counters.codeExchanges += 1;
  if (ctx.oidc.params.grant_type === 'refresh_token') counters.refreshes += 1;
  if (ctx.body.id_token) seen.idTokens.push(ctx.body.id_token);
});
provider.on('grant.error', (ctx, error) => {
  if (ctx.oidc?.params?.grant_type !== 'refresh_token') return;
  counters.refusedRefreshes += 1;
  if (error.error === 'invalid_grant' && used.has(ctx.oidc.params.refresh_token)) counters.reuses += 1;
});
provider.on('device_authorization.success', (_ctx, answer) => {
  seen.userCodes.push(answer.user_code);
  answer.interval = settings.pollSeconds;
});

// Goes around the library's answer with the trouble that tests ask for; `handle` is the library.
async function withTrouble(trouble, response, handle) {
  if (trouble.delaySeconds) await pause(trouble.delaySeconds);
  if (trouble.hangs) {
    hanging.add(response);
    return;
  }
  if (trouble.losesAnswer) {
    // all is done and written down, and the client never hears of it
    response.end = () => { response.destroy(); return response; };
    await handle();
    return;
  }
  if (!trouble.status) {
    await handle();
    return;
  }
  refuse(response, trouble.status, trouble.error, trouble.retryAfter ? { 'retry-after': trouble.retryAfter } : {});
}

// How many refreshes of one grant are under way at once; of grants that there are, or were.
function startRefresh(refreshToken) {
  const grantId = store.of('RefreshToken').get(refreshToken)?.grantId;
  if (!grantId) return () => {};
  inProgress.set(grantId, (inProgress.get(grantId) ?? 0) + 1);
  counters.concurrent = Math.max(counters.concurrent, inProgress.get(grantId));
  return () => inProgress.set(grantId, inProgress.get(grantId) - 1);
}

// The library takes a secret by Basic and in the body alike; the stricter providers do not, and neither do we.
function showsItsSecretTheOtherWay(request, form) {
  if (settings.clientAuth === 'client_secret_post') {
    const [id] = Buffer.from(request.headers.authorization?.split(' ')[1] ?? '', 'base64').toString().split(':');
    return id === settings.clientId;
  }
  return form.get('client_id') === settings.clientId && form.has('client_secret');
}

function refuse(response, status, error, headers = {}) {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers });
  response.end(error ? JSON.stringify({ error, error_description: 'as a test wants it' }) : '');
}

async function answer(request, response) {
  const { pathname } = new URL(request.url, issuer);
  if (pathname.startsWith('/interaction/')) {
    await (request.method === 'POST'
      ? decide(request, response, new URLSearchParams(await bodyOf(request)))
      : show(request, response));
    return;
  }
  const endpoint = request.method === 'POST' && WITH_TROUBLE[pathname];
  if (!endpoint) {
    await pass(request, response);
    return;
  }
  // the library takes a body that was read already
  request.body = await bodyOf(request);
  const form = new URLSearchParams(request.body);
  if (endpoint === 'introspection') counters.introspections += 1;
  if (endpoint === 'revocation') counters.revocations += 1;
  if (form.get('grant_type') === DEVICE_GRANT) counters.devicePolls += 1;
  if (form.has('code_verifier')) seen.verifiers.push(form.get('code_verifier'));
  const handle = async () => {
    if (showsItsSecretTheOtherWay(request, form)) refuse(response, 401, 'invalid_client');
    else await pass(request, response);
  };
  const finish = startRefresh(form.get('refresh_token'));
  response.on('close', finish);
  await withTrouble(troubles[endpoint] ?? {}, response, handle);
}

https.on('request', (request, response) => {
  answer(request, response).catch((error) => {
    console.error(error);
    response.writeHead(error.statusCode ?? 500, { 'content-type': 'text/plain' }).end(`${error.message}\n`);
  });
});

// --- The tests' channel ---------------------------------------------------------------------------------------------

const verbs = {
  set: (changes) => { Object.assign(settings, changes); },
  trouble: ({ at, trouble }) => { troubles[at] = trouble; },
  recover: () => {
    for (const endpoint of Object.keys(troubles)) delete troubles[endpoint];
    for (const response of hanging) response.destroy();
    hanging.clear();
  },
  revoke: ({ user }) => ({ grants: store.revokeUser(user) }),
  expire: ({ user }) => { store.expireAccessTokens(user); },
  counters: () => counters,
  issued: () => ({ ...store.issued, ...seen }),
};

const admin = createHttp(async (request, response) => {
  const verb = verbs[request.url.slice(1)];
  const allowed = request.headers.authorization === `Bearer ${settings.adminSecret}`;
  if (!verb || !allowed || request.method !== 'POST') {
    response.writeHead(allowed ? 404 : 403).end();
    return;
  }
  const result = verb(JSON.parse(await bodyOf(request)));
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(result ?? {}));
});
admin.listen(0, '127.0.0.1');
await once(admin, 'listening');

process.stdout.write(`${JSON.stringify({ issuer, admin: `http://127.0.0.1:${admin.address().port}` })}\n`);
