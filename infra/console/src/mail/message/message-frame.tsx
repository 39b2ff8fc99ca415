/**
 * A message's HTML, in a frame of its own in which no script can run: by its sandbox and by its policy.
 *
 * The server has sanitised it. The frame is as tall as what it shows, and mail that is too wide is made smaller.
 */
import { useCallback, useEffect, useRef, useState } from "react";
import type { Images } from "../../api/messages";
import { linkedTo } from "../mailto";
import styles from "./message-frame.module.css";

const LEAST_PX = 80;
const MOST_PX = 30_000;
/** So often it may grow though nothing was loaded: a page whose height depends on the frame's would grow for ever. */
const MOST_GROWTHS = 4;
/** Smaller, nobody could read it: the rest is scrolled to. */
const LEAST_SCALE = 0.7;
const PADDING_PX = 16;

// Mail assumes a white page; its readers want letters that they can read.
const BASE = `
  html { background: #fff; color-scheme: light; }
  body { margin: 0; padding: ${PADDING_PX}px; height: auto !important; min-height: 0 !important; box-sizing: border-box;
         color: #1c1e21; background: #fff; font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif;
         overflow-wrap: break-word; }
  img { max-width: 100%; }
  @media (max-width: 620px) {
    table, td, th, div, img { min-width: 0 !important; max-width: 100% !important; }
    img { height: auto !important; }
  }
  a { color: #92400e; }
  pre { white-space: pre-wrap; }
  blockquote { margin: 8px 0; padding-left: 12px; border-left: 3px solid #dcd8d4; }
`;
interface Props {
  html: string;
  images: Images;
  title: string;
  /** A link to write to somebody was followed. */
  onWriteTo: (linked: string) => void;
}

/** Other images need another frame (`key`): until its own document is there, it has one with the page's policy. */
export function MessageFrame({ html, images, title, onWriteTo }: Props) {
  const frame = useRef<HTMLIFrameElement>(null);
  const [loads, setLoads] = useState(0);
  const loaded = useCallback(() => setLoads((count) => count + 1), []);

  useEffect(() => {
    const element = frame.current;
    const page = element?.contentDocument;
    if (!loads || !element || !page?.body) return;
    show(page, html);
    return followHeight(element, page);
  }, [loads, html]);

  useEffect(() => {
    const page = frame.current?.contentDocument;
    if (!loads || !page) return;
    const follow = (event: MouseEvent) => {
      const link = (event.target as Element | null)?.closest?.(":is(a, area)[href^='mailto:' i]");
      if (!link) return;
      event.preventDefault();
      onWriteTo(linkedTo(link.getAttribute("href") ?? ""));
    };
    page.addEventListener("click", follow);
    return () => page.removeEventListener("click", follow);
  }, [loads, onWriteTo]);

  return (
    <iframe
      ref={frame}
      className={styles.frame}
      title={title}
      sandbox="allow-same-origin allow-popups allow-popups-to-escape-sandbox"
      src={`frame?images=${images}`}
      onLoad={loaded}
    />
  );
}

function show(page: Document, html: string): void {
  page.body.innerHTML = html;
  if (!page.head.querySelector("style")) {
    // Before the mail's own styles, which may want it otherwise.
    const style = page.createElement("style");
    style.textContent = BASE;
    page.head.append(style);
  }
  tellWhereLinksLead(page);
}

/** Where a link leads is not what it says: its tooltip tells, whatever the sender would have it say. */
export function tellWhereLinksLead(page: Document): void {
  for (const link of page.querySelectorAll<HTMLElement>(":is(a, area)[href]")) {
    link.title = link.getAttribute("href") ?? "";
    for (const inside of link.querySelectorAll("[title]")) inside.removeAttribute("title");
  }
}

/** Make the frame as tall as what is in it, and what is in it as narrow as the frame. */
function followHeight(frame: HTMLIFrameElement, page: Document): () => void {
  let growths = 0;
  let width = 0;
  let height = 0;
  const measure = () => {
    const { body, documentElement } = page;
    if (!frame.isConnected || !body) return;
    if (frame.clientWidth !== width) {
      width = frame.clientWidth;
      body.style.zoom = "1";
      const scale = width / (documentElement.scrollWidth + PADDING_PX);
      if (documentElement.scrollWidth > width) body.style.zoom = String(Math.max(LEAST_SCALE, scale));
    }
    const wanted = Math.min(MOST_PX, Math.max(LEAST_PX, Math.ceil(body.getBoundingClientRect().height)));
    if (Math.abs(wanted - height) < 2) return;
    growths = wanted > height ? growths + 1 : 0;
    if (growths > MOST_GROWTHS) return;
    height = wanted;
    // What is wider than the frame after all has its scroll bar beneath.
    const bar = documentElement.scrollWidth > width + 1 ? 16 : 0;
    frame.style.height = `${height + bar}px`;
  };
  const widened = () => {
    // An image that has come may have made it wider, and higher.
    width = 0;
    growths = 0;
    measure();
  };
  const observer = new ResizeObserver(measure);
  observer.observe(page.body);
  observer.observe(frame);
  page.addEventListener("load", widened, true);
  measure();
  return () => {
    observer.disconnect();
    page.removeEventListener("load", widened, true);
  };
}
