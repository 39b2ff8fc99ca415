/** A place on the page for what tests draw. */
import { act } from "react";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeEach } from "vitest";

interface Stage {
  place: HTMLElement;
  /** What draws into the place. */
  root: Root;
  /** Clear it, as when a page is loaded anew: all that was in memory is gone. */
  clear: () => Promise<void>;
}

/** One that is set up before each test of a file, and cleared away after it. */
export function newStage(): Stage {
  const stage = {} as Stage;
  const unmount = () => act(async () => stage.root.unmount());
  beforeEach(() => {
    Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });
    stage.place = document.body.appendChild(document.createElement("div"));
    stage.root = createRoot(stage.place);
  });
  stage.clear = async () => {
    await unmount();
    stage.root = createRoot(stage.place);
  };
  afterEach(async () => {
    await unmount();
    stage.place.remove();
  });
  return stage;
}
