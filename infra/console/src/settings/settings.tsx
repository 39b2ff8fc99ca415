/** Settings: the mail accounts. */
export default function SettingsPage() {
  return <main tabIndex={-1}>Settings</main>;
}
