import { Download, Paperclip } from "lucide-react";
import type { Message } from "../../api/messages";
import { BareButton } from "../../controls/button";
import { useFormats } from "../../language/formats";
import { useWords } from "../../language/language";
import styles from "./attachments.module.css";
import { useDownload } from "./downloads";

/** The files of a message; images that stand in its HTML are no files of it. */
export function Attachments({ message }: { message: Message }) {
  const words = useWords();
  const formats = useFormats();
  const { download, asked } = useDownload({ accountId: message.account_id, messageId: message.id });
  const files = message.attachments.filter((file) => !file.inline || message.html === null);
  if (!files.length) return null;
  return (
    <section className={styles.attachments}>
      <h3 className={styles.heading}>{words.mail.attachments(formats.count(files.length))}</h3>
      <ul className={styles.files}>
        {files.map((file) => {
          const name = file.filename || words.mail.unnamedFile;
          if (file.octets === null) {
            return (
              <li key={file.id} className={styles.file} data-beyond>
                <Paperclip size={18} aria-hidden="true" />
                <span className={styles.named}>
                  <span className={styles.name} title={name}>
                    {name}
                  </span>
                  <span className={styles.why}>{words.mail.beyondReach}</span>
                </span>
              </li>
            );
          }
          return (
            <li key={file.id}>
              <BareButton className={styles.file} busy={asked === file.id} onClick={() => void download(file.id)}>
                <Paperclip size={18} aria-hidden="true" />
                <span className={styles.named}>
                  <span className="visually-hidden">{words.mail.downloadFile} </span>
                  <span className={styles.name} title={name}>
                    {name}
                  </span>
                  <span className={styles.kind}>
                    {file.content_type} · {formats.size(file.octets)}
                  </span>
                </span>
                <Download size={18} aria-hidden="true" />
              </BareButton>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
