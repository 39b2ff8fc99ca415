/** Where replies go: another address, once its reader has agreed. */
import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { type Account, accountsQuery, askReplyTo, keepAccount, removeReplyTo } from "../api/accounts";
import { Button } from "../controls/button";
import { TextField } from "../controls/field";
import { useNotices } from "../controls/notices";
import { useNow } from "../controls/now";
import { useFormats } from "../language/formats";
import { useWords } from "../language/language";
import { FailureNote } from "./failure-note";
import { fieldProblems } from "./field-problems";
import { Box, Buttons, Form, Section, Soft } from "./layout";
import { isAddress } from "./values";

export function ReplyToSection({ account }: { account: Account }) {
  const words = useWords();
  const told = words.settings.replyTo;
  const cache = useQueryClient();
  const { tell } = useNotices();
  const [address, setAddress] = useState("");
  const [wrong, setWrong] = useState<string>();
  const [failure, setFailure] = useState<unknown>(null);
  const [busy, setBusy] = useState<"ask" | "again" | "remove" | null>(null);
  const replyTo = account.reply_to;

  const doing = async (what: "ask" | "again" | "remove", call: () => Promise<void>) => {
    setBusy(what);
    setFailure(null);
    setWrong(undefined);
    try {
      await call();
      void cache.invalidateQueries({ queryKey: accountsQuery.queryKey });
    } catch (reason) {
      const problem = fieldProblems(reason, words).address;
      setWrong(problem);
      if (!problem) setFailure(reason);
    } finally {
      setBusy(null);
    }
  };
  const ask = (what: "ask" | "again", to: string) =>
    doing(what, async () => {
      keepAccount(cache, await askReplyTo(account.id, to));
      setAddress("");
      tell(told.asked(to), "good");
    });
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    if (busy) return;
    if (!isAddress(address)) return setWrong(words.settings.problems.email);
    void ask("ask", address.trim());
  };
  const remove = () =>
    doing("remove", async () => {
      await removeReplyTo(account.id);
      keepAccount(cache, { id: account.id, reply_to: null });
      tell(told.removed, "good");
    });
  return (
    <Section title={words.settings.sections.replyTo} opening={told.opening(account.email)}>
      {replyTo ? <State replyTo={replyTo} own={account.email} /> : null}
      {replyTo ? (
        <Buttons>
          {replyTo.verified ? null : (
            <Button busy={busy === "again"} onClick={() => void ask("again", replyTo.address)}>
              {told.askAgain}
            </Button>
          )}
          <Button busy={busy === "remove"} onClick={() => void remove()}>
            {told.remove}
          </Button>
        </Buttons>
      ) : null}
      <Form onSubmit={onSubmit}>
        <TextField
          label={replyTo ? told.another : told.address}
          hint={told.hint}
          type="email"
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          value={address}
          onChange={(event) => setAddress(event.target.value)}
          problem={wrong}
        />
        <FailureNote failure={failure} />
        <Buttons>
          <Button type="submit" busy={busy === "ask"}>
            {told.ask}
          </Button>
        </Buttons>
      </Form>
    </Section>
  );
}

function State({ replyTo, own }: { replyTo: NonNullable<Account["reply_to"]>; own: string }) {
  const told = useWords().settings.replyTo;
  const formats = useFormats();
  const now = useNow();
  if (replyTo.verified) {
    return (
      <Box tone="good">
        <p>{told.inForce(replyTo.address)}</p>
      </Box>
    );
  }
  const open = replyTo.expires_at !== null && Date.parse(replyTo.expires_at) > now.getTime();
  const inForce = replyTo.in_force ?? own;
  return (
    <Box tone={open ? "plain" : "warn"}>
      <p>{open ? told.waiting(replyTo.address, formats.full(replyTo.expires_at)) : told.unanswered(replyTo.address)}</p>
      <Soft>{open ? told.meanwhile(inForce) : told.now(inForce)}</Soft>
    </Box>
  );
}
