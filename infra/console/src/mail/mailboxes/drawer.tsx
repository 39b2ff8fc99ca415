/** The mailboxes where there is no room beside the list: the browser's own dialog, at the side. */
import { X } from "lucide-react";
import { type ReactNode, useEffect, useRef } from "react";
import { IconButton } from "../../controls/button";
import { useWords } from "../../language/language";
import styles from "./drawer.module.css";

interface Props {
  label: string;
  /** It closes once one has gone elsewhere. */
  place: string;
  onClose: () => void;
  children: ReactNode;
}

export function Drawer({ label, place, onClose, children }: Props) {
  const words = useWords();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  const opened = useRef(place);
  useEffect(() => {
    if (place !== opened.current) onClose();
  }, [place, onClose]);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: a click beside it closes it, and so does Escape.
    <dialog
      ref={dialog}
      className={styles.drawer}
      aria-label={label}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        const link = (event.target as Element).closest("a");
        if (event.target === dialog.current || link) onClose();
      }}
    >
      <div className={styles.inside}>
        <div className={styles.top}>
          <IconButton label={words.common.close} onClick={onClose}>
            <X size={20} aria-hidden="true" />
          </IconButton>
        </div>
        <nav aria-label={label}>{children}</nav>
      </div>
    </dialog>
  );
}
