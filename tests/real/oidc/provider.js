// The provider itself: oidc-provider as a mail provider would set it up, with what tests change while it runs.

import { generateKeyPairSync, randomBytes } from 'node:crypto';

import Provider from 'oidc-provider';

import * as pages from './pages.js';
import { Store } from './store.js';

const DAY = 24 * 60 * 60;
export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
const SCOPES = ['openid', 'offline_access', 'mail.pop', 'mail.smtp'];

// The clients' metadata by their id; `settings` is read anew each time.
function clients(settings) {
  return (id) => {
    if (id === settings.clientId) {
      return {
        client_id: id,
        client_secret: settings.clientSecret,
        client_name: 'popfetch',
        token_endpoint_auth_method: settings.clientAuth,
        redirect_uris: settings.redirectUris,
        response_types: ['code'],
        grant_types: ['authorization_code', 'refresh_token', DEVICE_GRANT],
      };
    }
    if (id === settings.introspectionId) {
      return {
        client_id: id,
        client_secret: settings.introspectionSecret,
        token_endpoint_auth_method: 'client_secret_basic',
        redirect_uris: [],
        response_types: [],
        grant_types: [],
      };
    }
    return undefined;
  };
}

export function makeProvider(issuer, settings) {
  const store = new Store(clients(settings));
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const provider = new Provider(issuer, {
    adapter: store.adapter,
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: 'tests' }] },
    cookies: { keys: [randomBytes(32).toString('base64url')] },
    scopes: SCOPES,
    claims: { openid: ['sub'], email: ['email', 'email_verified'] },
    conformIdTokenClaims: false,
    clientAuthMethods: ['client_secret_basic', 'client_secret_post'],
    responseTypes: ['code'],
    pkce: { required: () => true, methods: ['S256'] },
    formats: {
      // a letter of a token holds six bits
      bitsOfOpaqueRandomness: (_ctx, token) => 6 * (token.kind === 'AccessToken' ? settings.accessTokenLength : 43),
    },
    // a used token that comes again is taken for a stolen one, and its whole grant is revoked: the library does so
    rotateRefreshToken: () => settings.rotates,
    ttl: {
      AccessToken: () => settings.accessTokenSeconds,
      AuthorizationCode: 60,
      DeviceCode: 600,
      Grant: 90 * DAY,
      IdToken: 3600,
      Interaction: 3600,
      RefreshToken: 90 * DAY,
      Session: DAY,
    },
    findAccount: (_ctx, id) => ({
      accountId: id,
      claims: () => ({ sub: id, email: id.includes('@') ? id : `${id}@mail.example`, email_verified: true }),
    }),
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    features: {
      devInteractions: { enabled: false },
      deviceFlow: {
        enabled: true,
        userCodeInputSource: (ctx, form, _out, error) => { ctx.body = pages.userCode(form, error); },
        userCodeConfirmSource: (ctx, form, _client, _device, code) => { ctx.body = pages.confirmUserCode(form, code); },
        successSource: (ctx) => { ctx.body = pages.done(); },
      },
      introspection: {
        enabled: true,
        allowedPolicy: (_ctx, client) => client.clientId === settings.introspectionId,
      },
      revocation: { enabled: true },
      rpInitiatedLogout: { enabled: false },
    },
    renderError: (ctx, out) => { ctx.type = 'html'; ctx.body = pages.failed(out); },
  });
  return { provider, store };
}

// What a person sees and decides at /interaction/..., once for signing in and once for consent.
export function interactions(provider) {
  async function show(request, response) {
    const { prompt, params, session } = await provider.interactionDetails(request, response);
    const client = await provider.Client.find(params.client_id);
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.setHeader('cache-control', 'no-store');
    response.end(prompt.name === 'login'
      ? pages.login(params.login_hint)
      : pages.consent(client.clientName, session.accountId, asked(prompt, params)));
  }

  async function decide(request, response, form) {
    const { prompt, params, session, grantId } = await provider.interactionDetails(request, response);
    let result;
    if (form.get('decision') === 'deny') {
      result = { error: 'access_denied', error_description: 'the user said no' };
    } else if (prompt.name === 'login') {
      result = { login: { accountId: form.get('login') } };
    } else {
      const known = grantId && await provider.Grant.find(grantId);
      const grant = known ?? new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
      const allowed = new Set(form.getAll('scope'));
      for (const scope of asked(prompt, params)) {
        if (allowed.has(scope)) grant.addOIDCScope(scope);
        else grant.rejectOIDCScope(scope);
      }
      if (prompt.details.missingOIDCClaims) grant.addOIDCClaims(prompt.details.missingOIDCClaims);
      result = { consent: { grantId: await grant.save() } };
    }
    await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: prompt.name === 'consent' });
  }

  function asked(prompt, params) {
    return prompt.details.missingOIDCScope ?? params.scope.split(' ');
  }

  return { show, decide };
}
