/** One message whole: who, when, what, and what can be done with it. */
import { useQuery } from "@tanstack/react-query";
import {
  ArrowLeft,
  ChevronDown,
  ChevronUp,
  Download,
  FileOutput,
  Forward,
  ImageOff,
  Paperclip,
  Reply,
  ReplyAll,
} from "lucide-react";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useLocation } from "wouter";
import { ApiFailure } from "../../api/client";
import { type Images, type Message, type MessageName, messageQuery, type Person } from "../../api/messages";
import { Button, IconButton } from "../../controls/button";
import { Empty, Failed, Loading } from "../../controls/states";
import { useFormats } from "../../language/formats";
import { toldFailure, useWords } from "../../language/language";
import type { Answering } from "../route";
import { Attachments } from "./attachments";
import { Delivered } from "./delivered";
import { useDownload } from "./downloads";
import { MessageFrame } from "./message-frame";
import styles from "./message-view.module.css";
import { People } from "./people";
import { PlainText } from "./plain-text";

interface Props {
  name: MessageName;
  /** Of the account that has it. */
  accountName: string;
  newer: string | null;
  older: string | null;
  onBack: () => void;
  onAnswer: (how: Answering) => void;
  /** `linked`: an address, or a mailto: link that says more. */
  onWriteTo: (linked: string) => void;
}

export function MessageView(props: Props) {
  const { name, newer, older, onBack, onAnswer } = props;
  const words = useWords();
  const [, go] = useLocation();
  // Images are shown for the one message they were asked for.
  const [imagesOf, setImagesOf] = useState<string | null>(null);
  const images: Images = imagesOf === name.messageId ? "shown" : "blocked";
  const blocked = useQuery(messageQuery(name, "blocked"));
  const shown = useQuery({ ...messageQuery(name, "shown"), enabled: images === "shown" });
  const message = shown.data && images === "shown" ? shown.data : blocked.data;
  const failure = blocked.error;
  const { download, asked } = useDownload(name);
  const isGone = failure instanceof ApiFailure && failure.status === 404;
  return (
    <article className={styles.view} aria-label={words.mail.message}>
      <div className={styles.tools}>
        <IconButton label={words.mail.toList} onClick={onBack}>
          <ArrowLeft size={20} aria-hidden="true" />
        </IconButton>
        <span className={styles.space} />
        <IconButton label={words.mail.forwardWhole} onClick={() => onAnswer("forward-whole")}>
          <FileOutput size={20} aria-hidden="true" />
        </IconButton>
        <IconButton label={words.mail.download} busy={asked === null} onClick={() => void download(null)}>
          <Download size={20} aria-hidden="true" />
        </IconButton>
        <IconButton label={words.mail.newer} aria-disabled={newer === null} onClick={() => newer && go(newer)}>
          <ChevronUp size={20} aria-hidden="true" />
        </IconButton>
        <IconButton label={words.mail.older} aria-disabled={older === null} onClick={() => older && go(older)}>
          <ChevronDown size={20} aria-hidden="true" />
        </IconButton>
      </div>
      {message ? (
        <Whole
          {...props}
          key={name.messageId}
          message={message}
          images={message === shown.data ? "shown" : "blocked"}
          isLoadingImages={images === "shown" && shown.isFetching}
          imagesFailed={images === "shown" ? shown.error : null}
          onShowImages={() => (images === "shown" ? void shown.refetch() : setImagesOf(name.messageId))}
        />
      ) : isGone ? (
        <Empty title={words.mail.noSuchMessage}>
          <Button onClick={onBack}>{words.mail.toList}</Button>
        </Empty>
      ) : failure ? (
        <Failed failure={failure} onRetry={() => void blocked.refetch()} />
      ) : (
        <Loading />
      )}
    </article>
  );
}

interface WholeProps extends Props {
  message: Message;
  images: Images;
  isLoadingImages: boolean;
  /** Why they are not shown, though they were asked for. */
  imagesFailed: unknown;
  onShowImages: () => void;
}

function Whole(props: WholeProps) {
  const { message, accountName, images, isLoadingImages, imagesFailed, onShowImages, onAnswer, onWriteTo } = props;
  const words = useWords();
  const formats = useFormats();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);
  // The button is gone once it has shown them: the focus stays where it was.
  const imagesBar = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (images === "shown" && document.activeElement === document.body) imagesBar.current?.focus();
  }, [images]);
  const both = message.html !== null && Boolean(message.text?.trim());
  const [asText, setAsText] = useState(false);
  const html = asText ? null : message.html;
  const at = message.dated ?? message.arrived ?? message.stored_at;
  const others = message.to.length + message.cc.length > 1;
  const files = message.attachments.filter((file) => !file.inline || message.html === null);
  return (
    <div className={styles.whole}>
      <header className={styles.header}>
        <h2 ref={heading} tabIndex={-1} className={styles.subject}>
          {message.subject || words.mail.noSubject}
        </h2>
        <dl className={styles.fields}>
          <PeopleField term={words.mail.from} people={message.from} />
          <PeopleField term={words.mail.toField} people={message.to} />
          <PeopleField term={words.mail.cc} people={message.cc} />
          <PeopleField term={words.mail.bcc} people={message.bcc} />
          <PeopleField term={words.mail.replyTo} people={elsewhere(message)} />
          <Term term={words.mail.date}>
            <time dateTime={at}>{formats.full(at)}</time>
          </Term>
          <Term term={words.mail.account}>
            {accountName}
            <span className={styles.soft}> · {formats.size(message.octets)}</span>
            {files.length ? (
              <span className={styles.soft}>
                {" · "}
                <Paperclip size={14} aria-hidden="true" className={styles.clip} />{" "}
                {words.mail.attachments(formats.count(files.length))}
              </span>
            ) : null}
          </Term>
        </dl>
        <AllHeaders message={message} />
        <div className={styles.actions}>
          <Button icon={<Reply size={18} aria-hidden="true" />} onClick={() => onAnswer("reply")}>
            {words.mail.reply}
          </Button>
          {others ? (
            <Button icon={<ReplyAll size={18} aria-hidden="true" />} onClick={() => onAnswer("reply-all")}>
              {words.mail.replyAll}
            </Button>
          ) : null}
          <Button icon={<Forward size={18} aria-hidden="true" />} onClick={() => onAnswer("forward")}>
            {words.mail.forward}
          </Button>
        </div>
      </header>
      {message.delivery ? <Delivered delivery={message.delivery} /> : null}
      {message.problems.length ? <Problems problems={message.problems} /> : null}
      {html !== null && message.remote_images > 0 ? (
        <div ref={imagesBar} tabIndex={-1} className={styles.images}>
          <ImageOff size={18} aria-hidden="true" />
          <p role="status">
            {images === "shown"
              ? words.mail.imagesShown
              : imagesFailed
                ? words.mail.imagesFailed(toldFailure(words, imagesFailed))
                : words.mail.imagesBlocked(formats.count(message.remote_images))}
          </p>
          {images === "blocked" ? (
            <Button busy={isLoadingImages} onClick={onShowImages}>
              {words.mail.imagesShow}
            </Button>
          ) : null}
        </div>
      ) : null}
      {both ? <Shape asText={asText} onChoose={setAsText} /> : null}
      {html !== null ? (
        <MessageFrame key={images} html={html} images={images} title={words.mail.body} onWriteTo={onWriteTo} />
      ) : message.text?.trim() ? (
        <PlainText text={message.text} onWriteTo={onWriteTo} />
      ) : (
        <p className={styles.soft}>{words.mail.noBody}</p>
      )}
      <Attachments message={message} />
    </div>
  );
}

/** Where answers go, if it is not the sender. */
function elsewhere(message: Message): Person[] {
  const senders = new Set(message.from.map(({ address }) => address.toLowerCase()));
  return message.reply_to.filter(({ address }) => !senders.has(address.toLowerCase()));
}

function Term({ term, children }: { term: string; children: ReactNode }) {
  return (
    <>
      <dt className={styles.term}>{term}</dt>
      <dd className={styles.told}>{children}</dd>
    </>
  );
}

function PeopleField({ term, people }: { term: string; people: readonly Person[] }) {
  if (!people.length) return null;
  return (
    <Term term={term}>
      <People people={people} />
    </Term>
  );
}

function AllHeaders({ message }: { message: Message }) {
  const words = useWords();
  if (!message.headers.length) return null;
  return (
    <details className={styles.all}>
      <summary>{words.mail.details}</summary>
      <dl className={styles.headers}>
        {message.headers.map(({ name, value }, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a header may come twice; their order does not change.
          <div key={index}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

function Shape({ asText, onChoose }: { asText: boolean; onChoose: (asText: boolean) => void }) {
  const words = useWords();
  return (
    <fieldset className={styles.shape}>
      <legend className="visually-hidden">{words.mail.shownAs}</legend>
      {[false, true].map((text) => (
        <label key={String(text)} className={styles.choice}>
          <input type="radio" name="shape" checked={asText === text} onChange={() => onChoose(text)} />
          {text ? words.mail.asText : words.mail.asHtml}
        </label>
      ))}
    </fieldset>
  );
}

function Problems({ problems }: { problems: readonly string[] }) {
  const words = useWords();
  const told = words.mail.problems as Record<string, string>;
  const sentences = new Set(problems.map((problem) => told[problem] ?? words.mail.problems.other));
  return (
    <div className={styles.problems}>
      {[...sentences].map((sentence) => (
        <p key={sentence}>{sentence}</p>
      ))}
    </div>
  );
}
