/** The mail accounts and their settings. */
import { type Counted, plural } from "../plural";

const minutes = (count: number) =>
  count % 60 === 0
    ? count === 60
      ? "hour"
      : count === 1440
        ? "day"
        : `${count / 60} hours`
    : count === 1
      ? "minute"
      : `${count} minutes`;

const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);

export const settings = {
  title: "Mail accounts",
  account: "Mail account",
  noSuchAccount: "There is no such account.",
  serverSaid: "The server said:",
  atOutgoing: "Outgoing server:",
  name: "Name",
  nameHint: "How the account is shown, such as “My work” or “Personal”.",
  addressHint: "What is shown as the sender of what you send.",
  save: "Save changes",
  saving: "Saving. A new way to sign in is tried first.",
  unsaved: "There are unsaved changes.",
  discard: "Discard",
  pause: "Pause",
  resume: "Resume",
  pausedTitle: "This account is paused",
  paused: "No mail is collected on schedule. “Check now” still works.",
  toItsMail: "To its mail",
  sections: {
    standing: "State",
    name: "Name and address",
    retrieval: "What is fetched",
    incoming: "Incoming server (POP3)",
    outgoing: "Outgoing server (SMTP)",
    passwords: "Passwords",
    consent: "Sign-in at the provider",
    replyTo: "Reply-to address",
    history: "History",
    delete: "Delete the account",
    appearance: "Language and theme",
  },
  standing: {
    active: "Active",
    backing_off: "Trying again",
    auth_failed: "Authentication failed",
    connection_failed: "Connection failed",
    paused: "Paused",
    notConnected: "Sign-in needed",
    failing: "Last check failed",
    neverChecked: "Not checked yet",
    checked: (ago: string) => `Checked ${ago}`,
    stored: (count: Counted) => plural(count, "new message", "new messages"),
    nothingNew: "nothing new",
  },
  list: {
    opening: "They are checked and listed in this order. The default account is the one shown first.",
    add: "Add an account",
    emptyTitle: "No mail accounts yet",
    empty: "Add a mailbox that you have elsewhere, and popfetch collects its mail here.",
    default: "Default",
    defaultLegend: "Mail accounts; one of them is the default account",
    defaultOf: (name: string) => `${name} is the default account`,
    pause: (name: string) => `Pause ${name}`,
    resume: (name: string) => `Resume ${name}`,
    settingsOf: (name: string) => `Settings of ${name}`,
    sendingFails: "Mail cannot be sent.",
    moveUp: (name: string) => `Move ${name} up`,
    moveDown: (name: string) => `Move ${name} down`,
    drag: (name: string) => `Move ${name} by dragging`,
    sortable: "can be moved",
    howToDrag:
      "Press the space bar to pick the account up, move it with the arrow keys, press the space bar again to put it down, or Escape to leave it where it was.",
    pickedUp: (name: string, place: number, of: number) => `Picked up ${name}, place ${place} of ${of}.`,
    overPlace: (name: string, place: number, of: number) => `${name} is over place ${place} of ${of}.`,
    movedTo: (name: string, place: number, of: number) => `${name} is at place ${place} of ${of} now.`,
    putBack: (name: string, place: number) => `${name} stays at place ${place}.`,
  },
  add: {
    title: "Add an account",
    addressTitle: "Which mailbox?",
    addressOpening:
      "From its address popfetch finds the servers. The password goes to your provider's servers and nowhere else.",
    address: "E-mail address",
    password: "Password",
    passwordHint: "Leave it empty if you sign in at the provider, as with Gmail or Outlook.",
    passwordKinds: {
      password: "Password",
      app_password: "App password",
      authorization_code: "Authorization code",
    },
    goOn: "Continue",
    lookingUp: (email: string) => `Looking for the settings of ${email} …`,
    foundTitle: "Settings found",
    notFoundTitle: "Settings by hand",
    nothingFound:
      "No settings were found for this address. Ask your provider for its POP server, or look for POP in the settings of the mailbox: it may have to be switched on.",
    noPop:
      "This provider offers no POP for its mailboxes, so that their mail cannot be collected. Ask it whether POP can be switched on, or have the mail forwarded to a mailbox that has it.",
    ifRefused:
      "If the sign-in is refused, see whether POP has to be switched on in the settings of the mailbox, or an app password to be made.",
    strangeServers: (hosts: string) =>
      `I know that my provider keeps its servers at ${hosts}. They are no part of the address's own domain, and get my password.`,
    byHand: "Settings by hand",
    change: "Change",
    wayIn: "Way to sign in",
    signInAt: (name: string) => `Sign in with ${name}`,
    consentHint: "You consent on the provider's own page. popfetch never sees your password.",
    consentOnly: (name: string) => `${name} takes no passwords from programs. You consent on its own page.`,
    consentMissing: (name: string) =>
      `Signing in with ${name} is not set up here. Use the way below, or ask whoever runs popfetch for you.`,
    notRegistered: (name: string) =>
      `popfetch is not registered at ${name} yet, so that nobody can sign in there. Tell whoever runs popfetch for you.`,
    add: "Add the account",
    addUntried: "Add without trying the sign-in",
    trying: (host: string) => `Trying to sign in at ${host} …`,
    goingTo: (name: string) => `Going to ${name} …`,
    toAccounts: "To the mail accounts",
  },
  added: {
    title: "The account is added",
    now: "The sign-in works. The first mail comes in right now.",
    later: (count: Counted) =>
      `The account is there. This provider wants ${plural(count, "minute", "minutes")} between two sign-ins, so that the first mail comes a little later, by itself.`,
    here: "The sign-in works, and the first mail is here.",
    failed: "The account is there, but its first check did not work. popfetch tries again by itself.",
    consentWaits: "The account is there. Its mail comes once you have signed in at the provider.",
    toAccount: "Account settings",
    toAccounts: "All accounts",
  },
  server: {
    host: "Host",
    port: "Port",
    security: "Security",
    securities: { tls: "TLS", starttls: "STARTTLS", none: "None (unprotected)" },
    portAnd: (port: string, security: string) => `port ${port}, ${security}`,
    unprotected:
      "Without protection, anyone on the way can read the password and the mail. Ask the provider for a server with TLS.",
    username: "User name",
    password: "Password",
    passwordAgain: "Needed again: a stored password only ever goes to the server that it was entered for.",
    sends: "Send mail from this account",
    sendsHint: "Without an outgoing server the account only receives.",
    samePassword: "Same password as for the incoming server",
    receiveOnly: "none; the account only receives",
  },
  retrieval: {
    interval: "Check for mail",
    intervalHint: "The gap between two checks.",
    shortest: (count: Counted) =>
      `This provider wants ${plural(count, "minute", "minutes")} or more between two sign-ins.`,
    every: (count: number) => `every ${minutes(count)}`,
    recommended: (text: string) => `${text} (recommended)`,
    perCycle: "Messages per check",
    perCycleHint: "At most so many are taken at once.",
    messages: (count: Counted) => plural(count, "message", "messages"),
    upTo: (count: string) => `up to ${count} at once`,
    catchUp: "Take a backlog without waiting",
    catchUpHint: "While more mail waits on the server, checks follow each other at once.",
    start: "Which mail",
    starts: { all: "Everything on the server", now: "Only what comes from now on", since: "Since a date" },
    since: "Date",
    sinceDay: (day: string) => `Since ${day}`,
    order: "Which first",
    orders: { newest_first: "The newest first", oldest_first: "The oldest first" },
    afterFetch: "After fetching, on the provider's server",
    afterFetches: {
      keep: "Keep the mail there",
      delete_after_days: "Delete it there after some days",
      delete: "Delete it there at once",
    },
    keptThere: "kept at the provider",
    deletedThere: "deleted at the provider",
    deletedAfter: (days: Counted) => `deleted at the provider after ${plural(days, "day", "days")}`,
    days: "Days",
    deletionWarning:
      "Mail is deleted on the provider's server and cannot be brought back there. popfetch deletes only what it has stored safely; other programs that use the mailbox will not find it any more.",
  },
  passwords: {
    opening:
      "Each is changed on its own, as only one of them may have changed. It is tried first, and kept if it works.",
    labels: { incoming: "New password of the incoming server", outgoing: "New password of the outgoing server" },
    tryAndKeep: "Try and keep",
    kept: {
      incoming: "The new incoming password works and is kept.",
      outgoing: "The new outgoing password works and is kept.",
    },
  },
  consent: {
    provider: "the provider",
    again: "Sign in again",
    instead: (name: string) => `Sign in with ${name} instead`,
    notUsed: (name: string) => `This account is opened with a password. ${name} also lets you sign in on its own page.`,
    connectedSince: (name: string, since: string) => `Connected with ${name} since ${since}.`,
    notConnected: (name: string) => `Not connected with ${name}: no mail is collected until you sign in there.`,
    usePassword: "Use a password instead",
    usePasswordText:
      "Most of these providers want an app password, which you make in their security settings. It takes the place of your consent.",
    passwordKept: "The password works and is kept. The consent is given back.",
    disconnect: "Disconnect",
    disconnectTitle: (name: string) => `Disconnect from ${name}?`,
    disconnectText: "popfetch gives its access back. No mail is collected or sent until you sign in again.",
    byCode: "Sign in with a code",
    enterCode: "Open this page in any browser, on any device, and enter the code there:",
    waitingForCode: "Waiting until the code is entered …",
    unprotected: "The provider named a page that is not protected. Do not go on; tell whoever runs popfetch for you.",
  },
  replyTo: {
    opening: (own: string) =>
      `Replies to what you send go to ${own}, or to another address once its reader has agreed.`,
    address: "Address for replies",
    another: "Another address",
    hint: "A mail with a link goes there. The address is used once the link is confirmed.",
    ask: "Send the question",
    askAgain: "Ask again",
    remove: "Remove",
    asked: (address: string) => `A mail with a link is on its way to ${address}.`,
    removed: "Replies go to the account's own address again.",
    inForce: (address: string) => `Verified: replies go to ${address}.`,
    waiting: (address: string, until: string) => `Waiting until ${until} for ${address} to be confirmed.`,
    unanswered: (address: string) => `Nobody has confirmed ${address} in time. Ask again if it is still wanted.`,
    meanwhile: (address: string) => `Until then replies go to ${address}.`,
    now: (address: string) => `Replies go to ${address}.`,
  },
  history: {
    opening: "Checks of the last 30 days in which something happened.",
    none: "Nothing has happened yet.",
    chart: (cycles: Counted, stored: Counted, failed: Counted) =>
      `${plural(cycles, "check", "checks")}: ${plural(stored, "message", "messages")} stored, ${plural(failed, "check", "checks")} failed. The table below has each of them.`,
    stored: "Stored",
    failed: "Failed",
    asTable: "As a table",
    older: "Older",
    when: "When",
    outcome: "Outcome",
    size: "Size",
    skipped: "Left out",
    quarantined: "Not readable",
    remaining: "Waiting",
    outcomes: {
      nothing_new: "Nothing new",
      stored: "Stored",
      partial: "Stored in part",
      failed: "Failed",
    },
  },
  deletion: {
    opening: "The account is gone from popfetch at once. Nothing changes at the provider.",
    begin: "Delete the account …",
    title: (name: string) => `Delete ${name}?`,
    text: "Its settings and passwords are deleted. Collecting and sending end.",
    mail: "What becomes of the mail that popfetch has stored?",
    keep: "Keep the mail in storage",
    keepHint: "It stays in your bucket. It is not shown here any more.",
    erase: "Delete the mail too",
    eraseHint: "It cannot be brought back, unless it is still at the provider.",
    typeIt: (email: string) => `Type ${email} to confirm`,
    confirm: "Delete the account",
    confirmWithMail: "Delete account and mail",
    erasing: (name: string) => `${name} is deleted. What it left is being erased in the background.`,
    done: (name: string) => `${name} is deleted.`,
  },
  troubles: {
    titles: {
      not_connected: "This account waits for your sign-in at the provider",
      sign_in_failed: "Authentication failed: no mail is collected",
      no_connection: "No connection: no mail is collected",
      failing: "The last check did not work",
      sending: "Mail cannot be sent from this account",
    },
    remedies: {
      consent: "Sign in at the provider as this very mailbox, and allow all that is asked.",
      password:
        "If the password was changed or has expired, enter the new one here. Some providers want an app password.",
      settings: "See whether host, port and security of the server are still right.",
      check: "Once that is put right, check now.",
    },
    changeSettings: "Change the settings",
    byItself: "popfetch tries again by itself.",
    details: "What happened exactly",
  },
  problems: {
    required: "This is needed.",
    email: "Enter an e-mail address such as anna@example.com.",
    host: "Enter a host name such as pop.example.com, without https:// and without a port.",
    port: "Enter a number from 1 to 65535.",
    date: "Choose a date.",
    days: "Enter a number of days from 1 to 3650.",
    passwordAgain: "Enter the password again: the server has changed.",
    marked: "Something is not right yet. See what is marked.",
    refused: (problem: string) => {
      // The API's sentences begin behind the field's name.
      const goesOn = /^(is|must|needs|takes|goes|has) /.test(problem);
      const sentence = goesOn ? `This ${problem}` : problem.replace(/^[a-z]+ /, (word) => capital(word));
      return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
    },
  },
  connected: {
    heading: "popfetch may collect this mailbox now",
    well: "Mail follows by itself, within minutes as a rule. Some providers want pauses between sign-ins; then it may take half an hour. An account that you have paused stays paused.",
    other:
      "Not all went well when popfetch tried the account's mail servers just now. Open the account: it shows what is the matter, and how it goes on.",
    codes: {
      pop_not_enabled:
        "POP is still switched off for this mailbox at the provider, so that no mail comes yet. Switch it on in the provider's settings, then choose “Check now” for the account.",
      sign_in_off:
        "Mail cannot be sent yet: the outgoing server takes no sign-in of this kind here. See whether its port is right in popfetch, and whether sending by SMTP is switched on at the provider. Mail is collected all the same.",
      cannot_connect:
        "One of the account's mail servers was not reached when popfetch tried it just now. If no mail comes, or none can be sent, see whether host, port and security of the account are right.",
      tls_failed:
        "With one of the account's mail servers there was no protected connection that can be trusted. If no mail comes, or none can be sent, see whether host, port and security of the account are right in popfetch; if they are, only the provider can put it right.",
      too_frequent:
        "The mail server wants longer pauses between sign-ins, so that the first mail may take half an hour. There is nothing for you to do.",
      maildrop_busy:
        "Another program is signed in to the mailbox just now. Close it, or wait: mail follows at the next check, once the mailbox is free.",
      server_error:
        "One of the account's mail servers did not answer as it should when popfetch tried it just now. popfetch tries again by itself; if that does not help, see what the account shows, or ask the provider.",
      sign_in_refused:
        "Mail cannot be sent yet: the outgoing server has refused the sign-in. If you did not allow all that was asked, sign in again here. Otherwise see whether sending by SMTP is switched on at the provider, where whoever administers the mailbox may have to allow it. Mail is collected all the same.",
    },
  },
  notConnected: {
    heading: "The sign-in did not work",
    other:
      "Something went wrong that is not known here more closely. Wait a few minutes, then sign in again here. If it happens again, tell whoever runs popfetch for you.",
    codes: {
      consent_refused:
        "popfetch may not open the mailbox: consent was not given, or not for all that it needs, or it came too late. If you want to consent, sign in again here, and allow all that is asked. Where the provider does not let you, whoever administers the mailbox may have to allow it first.",
      sign_in_refused:
        "You signed in, but the account's mail server does not accept that sign-in. Perhaps it was for another mailbox: sign in again here, and sign in as the very mailbox that the account is for. If you did, see in the provider's settings whether POP is switched on; whoever administers the mailbox may have to allow it.",
      token_endpoint_unavailable:
        "The provider did not answer as it should. Wait a few minutes, then sign in again here.",
      oauth_client_refused:
        "The provider does not accept popfetch itself, so that nobody can sign in there at present. This is not your doing: tell whoever runs popfetch for you, as only they can put it right.",
      oauth_not_configured:
        "popfetch is not registered at this provider yet, so that nobody can sign in there. This is not your doing: tell whoever runs popfetch for you, as only they can put it right.",
      account_not_found:
        "The account that you signed in for is not here any more. If you want its mail collected, add it again.",
      account_changed:
        "The account was changed elsewhere at the same moment. See whether it is as you want it, then sign in again here.",
      invalid_account:
        "The account's servers do not go with this sign-in any more: they belong to another provider, or the connection to them is not protected. Correct host and security of the account, then sign in again here.",
      account_already_added:
        "Another account of yours is for the same mailbox already. Use that one; if you want this one, remove the other, then sign in again here.",
      host_refused:
        "popfetch does not connect to a server that the account names: there is no such name, or it leads to an address that is not allowed. Correct the host of the account, then sign in again here.",
      storage_unavailable: "Something failed at popfetch. Wait a minute, then sign in again here.",
    },
  },
};
