// What people see: plain forms that reach for nothing outside. Each page says in `data-page` which one it is, and each
// button has a value of its own; scripted people and browsers go by these.

const WORDS = { 'mail.pop': 'Read your mail by POP', 'mail.smtp': 'Send mail as you', offline_access: 'While you are away' };
const ALWAYS = new Set(['openid', 'offline_access']);
const ESCAPED = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

export function escape(text) {
  return String(text).replace(/[&<>"']/g, (letter) => ESCAPED[letter]);
}

function page(name, title, body) {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>${title}</title><link rel="icon" href="data:,"></head>
<body data-page="${name}"><main><h1>${title}</h1>
${body}
</main></body>
</html>
`;
}

export function login(hint) {
  return page('login', 'Sign in', `<form method="post">
<p><label>Account <input name="login" value="${escape(hint ?? '')}" autocomplete="username" required></label></p>
<p><label>Password <input name="password" type="password" autocomplete="current-password" required></label></p>
<button name="decision" value="sign-in">Sign in</button>
<button name="decision" value="deny" formnovalidate>Cancel</button>
</form>`);
}

// Each scope can be left out, as people can with the large providers.
export function consent(client, user, scopes) {
  const rows = scopes.map((scope) => {
    const box = `<input type="checkbox" name="scope" value="${escape(scope)}" checked>`;
    const words = escape(WORDS[scope] ?? scope);
    return ALWAYS.has(scope)
      ? `<input type="hidden" name="scope" value="${escape(scope)}">`
      : `<p><label>${box} ${words}</label></p>`;
  });
  return page('consent', 'Allow access', `<p>${escape(client)} asks, of ${escape(user)}:</p>
<form method="post">
${rows.join('\n')}
<button name="decision" value="allow">Allow</button>
<button name="decision" value="deny">Deny</button>
</form>`);
}

// The library's own form, which has no button of its own, with ours in it.
function withButtons(form, ...buttons) {
  return form.replace('</form>', `${buttons.join('\n')}\n</form>`);
}

export function userCode(form, error) {
  const objection = error ? `<p role="alert">${escape(error.message)}</p>` : '';
  return page('user-code', 'Enter the code', objection + withButtons(form, '<button value="continue">Continue</button>'));
}

export function confirmUserCode(form, code) {
  const buttons = ['<button value="confirm">Continue</button>', '<button name="abort" value="yes">Cancel</button>'];
  return page('confirm', 'Is this the code?', `<p><code>${escape(code)}</code></p>${withButtons(form, ...buttons)}`);
}

export function done() {
  return page('done', 'You are done', '<p>You can close this page.</p>');
}

export function failed(out) {
  const rows = Object.entries(out).map(([name, value]) => `<dt>${escape(name)}</dt><dd>${escape(value)}</dd>`);
  return page('error', 'That did not work', `<dl>${rows.join('')}</dl>`);
}
