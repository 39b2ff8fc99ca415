/** Adding an account: its address, what is found for it, the sign-in that is tried, and its first mail. */
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type Account, accountsQuery } from "../api/accounts";
import { type FoundSettings, lookUp } from "../api/providers";
import { useLanguage } from "../language/language";
import { AddedStep } from "./added-step";
import { AddressStep } from "./address-step";
import { FoundStep } from "./found-step";
import { Page } from "./layout";

type Step =
  | { kind: "address" }
  | { kind: "found"; found: FoundSettings }
  | { kind: "added"; account: Account; shortest: number };

export function NewAccountPage() {
  const { words, tag } = useLanguage();
  const cache = useQueryClient();
  const [step, setStep] = useState<Step>({ kind: "address" });
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");

  const onAdded = (account: Account, found: FoundSettings) => {
    cache.setQueryData(accountsQuery.queryKey, (all) => all && [...all, account]);
    void cache.invalidateQueries({ queryKey: accountsQuery.queryKey });
    setStep({ kind: "added", account, shortest: found.shortest_interval_minutes ?? 1 });
  };
  return (
    <Page title={step.kind === "added" ? words.settings.added.title : words.settings.add.title} back>
      {step.kind === "address" ? (
        <AddressStep
          email={email}
          password={password}
          onEmail={setEmail}
          onPassword={setPassword}
          onContinue={async () => setStep({ kind: "found", found: await lookUp(email.trim(), tag) })}
        />
      ) : null}
      {step.kind === "found" ? (
        <FoundStep
          found={step.found}
          password={password}
          onBack={() => setStep({ kind: "address" })}
          onAdded={(account) => onAdded(account, step.found)}
        />
      ) : null}
      {step.kind === "added" ? <AddedStep added={step.account} shortest={step.shortest} /> : null}
    </Page>
  );
}
