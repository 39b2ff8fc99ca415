/** The way out, which asks first where something would be lost by it. */
import { LogOut } from "lucide-react";
import { useState } from "react";
import { Button, IconButton } from "../controls/button";
import { Actions, Dialog } from "../controls/dialog";
import { useWords } from "../language/language";
import { useDrafts } from "../mail/compose/drafts";
import { useSession } from "../session/session";
import { hasUnsaved } from "./leaving";

export function SignOut() {
  const words = useWords();
  const { leave } = useSession();
  const { drafts, sendingOf } = useDrafts();
  const [asking, setAsking] = useState<{ unsaved: boolean } | null>(null);
  // A mail that is out is lost to nobody but whoever waits for what becomes of it.
  const out = drafts.filter(({ id }) => sendingOf(id)?.isOut).length;
  const uploading = drafts.filter(({ id }) => sendingOf(id)?.isOut === false).length;
  const lost = drafts.length - out;
  const onClick = () => {
    const unsaved = hasUnsaved();
    if (drafts.length || unsaved) setAsking({ unsaved });
    else void leave();
  };
  return (
    <>
      <IconButton label={words.common.signOut} onClick={onClick}>
        <LogOut size={18} aria-hidden="true" />
      </IconButton>
      {asking ? (
        <Dialog title={words.session.signOutQuestion(lost)} onClose={() => setAsking(null)}>
          {out ? <p>{words.session.mailsOut(out)}</p> : null}
          {uploading ? <p>{words.session.mailsUploading(uploading)}</p> : null}
          {asking.unsaved ? <p>{words.common.unsaved}</p> : null}
          {lost ? <p>{words.mail.discardText}</p> : null}
          <Actions>
            <Button onClick={() => setAsking(null)}>{words.common.cancel}</Button>
            <Button kind="danger" onClick={() => void leave()}>
              {words.session.signOutAnyway}
            </Button>
          </Actions>
        </Dialog>
      ) : null}
    </>
  );
}
