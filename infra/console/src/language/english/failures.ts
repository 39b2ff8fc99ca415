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
};
