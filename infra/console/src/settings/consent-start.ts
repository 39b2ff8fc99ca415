/** Going to the provider for consent: the browser leaves the console, and comes back with what came of it. */
import { useCallback, useState } from "react";
import { askForConsent } from "../api/oauth";

export interface ConsentStart {
  start: () => void;
  busy: boolean;
  failure: unknown;
}

/** How to go to the provider of an account. */
export function useConsentStart(id: string): ConsentStart {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  const start = useCallback(() => {
    setBusy(true);
    setFailure(null);
    goToConsent(id).catch((reason) => {
      setBusy(false);
      setFailure(reason);
    });
  }, [id]);
  return { start, busy, failure };
}

/** Ask for consent, and go where it is given. Throws ApiFailure. */
export async function goToConsent(id: string): Promise<void> {
  const address = consentAddress(await askForConsent(id));
  if (!address) throw new Error("Consent is asked for over a protected connection only.");
  location.assign(address.href);
}

const THIS_MACHINE = ["localhost", "127.0.0.1", "[::1]"];

/** An address at which consent may be given: over a protected connection, or on this machine; else null. */
export function consentAddress(text: string): URL | null {
  const address = URL.parse(text);
  if (address?.protocol === "https:") return address;
  return address?.protocol === "http:" && THIS_MACHINE.includes(address.hostname) ? address : null;
}
