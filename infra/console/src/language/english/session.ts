/** Signing in. */
export const session = {
  title: "Sign in",
  opening: "Read the mail of all your mailboxes, and keep their settings.",
  email: "E-mail address",
  password: "Password",
  showPassword: "Show the password",
  hidePassword: "Hide the password",
  signIn: "Sign in",
  forgotten: "Forgotten your password?",
  newPasswordTitle: "Choose a password",
  newPasswordOpening: "The password you were given works once. Choose one of your own.",
  newPassword: "New password",
  newPasswordHint: "At least 12 characters, with upper and lower case letters and a digit.",
  setPassword: "Set the password",
  codeTitle: "Enter the code",
  codeOpening: "Your authenticator app shows a code of six digits.",
  code: "Code",
  confirm: "Confirm",
  resetTitle: "Set a new password",
  resetOpening: "Say which address you sign in with. A code is sent there.",
  sendCode: "Send the code",
  resetSent: (email: string) => `If ${email} can sign in here, a code is on its way to it.`,
  resetDone: "The new password is set. Sign in with it.",
  backToSignIn: "Back to signing in",
  ended: "Your session has ended. Sign in again.",
  unended:
    "The server was not reached for signing out: this browser may still be signed in. It is tried again when you are online.",
  another: (email: string) => `${email} has signed in in this browser meanwhile. This is now their console.`,
  signOutQuestion: (drafts: number) =>
    drafts ? `Sign out and lose ${drafts} ${drafts === 1 ? "draft" : "drafts"}?` : "Sign out?",
  signOutAnyway: "Sign out anyway",
  mailsOut: (mails: number) =>
    mails === 1
      ? "A mail is still on its way. It can be sent all the same, but you will not be told whether it was."
      : `${mails} mails are still on their way. They can be sent all the same, but you will not be told whether they were.`,
  mailsUploading: (mails: number) =>
    mails === 1
      ? "The files of a mail are still being uploaded. It will not be sent."
      : `The files of ${mails} mails are still being uploaded. They will not be sent.`,
  signedInAs: (email: string) => `Signed in as ${email}`,
};
