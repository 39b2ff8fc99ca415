/** The mail: accounts, messages, and the one that is read. */
export default function MailPage() {
  return <main tabIndex={-1}>Mail</main>;
}
