/** What the API's codes mean to a person; a code without words here is told in the API's own sentence. */
export const failures = {
  unreachable: "popfetch cannot be reached. Are you online?",
  internal: "Something failed inside popfetch. Try again in a moment.",
  too_many_requests: "That was too often in a short time. Wait a moment, then try again.",
  sign_in_refused: "This address and this password do not go together.",
  password_reset_required: "This password must be replaced first: use “Forgotten your password?”.",
  code_refused: "This code is wrong, or it has ended.",
  password_too_weak: "This password is too easy to guess.",
  signed_out: "Your session has ended. Sign in again.",
  // accounts
  account_not_found: "There is no such account any more.",
  account_already_added: "You have this mailbox already. Each mailbox can be added once.",
  too_many_accounts: "You have as many accounts as one person can have here. Delete one that you do not need.",
  account_changed: "The account was changed elsewhere at the same moment. Try again.",
  account_outdated:
    "The account was changed elsewhere meanwhile. What you have entered is still here: look it over, then save again.",
  invalid_order: "The accounts have changed meanwhile. Put them in order again.",
  invalid_cursor: "This list has changed. Load the page again.",
  no_outgoing_server: "This account has no outgoing server. Add one in its settings.",
  unauthorized: "Sign in again.",
  storage_unavailable: "popfetch's storage did not answer. Try again in a moment.",
  asset_not_found: "This page is older than popfetch. Load it again.",
  console_not_built: "The console is not part of this installation. Tell whoever runs popfetch for you.",
  // trying a sign-in
  // collecting
  authentication: "The server does not accept this user name and password.",
  permanent: "The server says that something is wrong with the mailbox that needs somebody's hand.",
  pop_not_enabled: "POP is switched off for this mailbox at the provider.",
  in_use: "Another program is signed in to the mailbox.",
  login_too_frequent: "The server wants longer pauses between sign-ins.",
  temporary: "The server has a problem of its own at the moment.",
  protocol: "The server did not answer as a mail server does.",
  pop3: "The mail server could not be used.",
  smtp: "The outgoing server could not be used.",
  refused: "The server refused a command.",
  tls: "There was no protected connection to the server that can be trusted.",
  network: "The server was not reached, or it went away.",
  deadline: "The server was too slow.",
  sign_in_off: "The outgoing server offers no such sign-in.",
  secret_unreadable: "The stored password cannot be used any more. Enter it again.",
  cycle_overtaken: "Another check of the account was quicker.",
  // consent
  consent_needed: "popfetch has no consent to this mailbox, or not any more. Sign in again.",
  consent_refused:
    "Consent was not given, or not for all that popfetch needs. Sign in again, and allow all that is asked.",
  invalid_grant: "The provider does not honour this sign-in any more. Sign in again.",
  token_endpoint_unavailable: "The provider did not answer as it should. Try again in a few minutes.",
  oauth_client_refused: "The provider does not accept popfetch itself. Tell whoever runs popfetch for you.",
  oauth_not_configured: "popfetch is not registered at this provider yet. Tell whoever runs popfetch for you.",
  no_oauth_provider: "Nobody gives access to these servers by a sign-in at the provider. Use a password.",
  oauth_flow_invalid: "This sign-in is not waited for any more. Start it again.",
  other_browser: "This is not the browser in which the sign-in was started. Start it again here.",
  // replies
  too_many_verification_mails: "That address or this account was asked too often. Try again tomorrow.",
  mail_unavailable: "Mail cannot be sent at the moment. Try again in a few minutes.",
  // sending
  outgoing_auth_failed:
    "The outgoing server has refused the password so often that nothing is sent. Enter it again in the account's settings.",
  under_way: "The same mail is being sent already.",
  sending_too_frequent: "The server takes no more mail of this account for now. Try again later.",
  connection_lost: "The connection to the outgoing server was lost. Nothing was sent; try again.",
  unconfirmed: "The server never said whether it took the mail.",
  // reading
  message_not_found: "This message is not there any more.",
  attachment_not_found: "This file is not there any more.",
  attachment_beyond_reach:
    "This attachment is in a part of the message that is too large to be read here. Download the message as a file: it has the attachment.",
};
