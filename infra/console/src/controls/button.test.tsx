import { act, type ReactNode } from "react";
import { expect, test, vi } from "vitest";
import { newStage } from "../stage.builder";
import { BareButton, Button, IconButton } from "./button";

const stage = newStage();

const show = (what: ReactNode) => act(async () => stage.root.render(what));
const button = () => stage.place.querySelector("button") as HTMLButtonElement;
const press = () => act(async () => button().click());

test("a button that becomes busy keeps the focus, and has it when it is done", async () => {
  await show(<Button>Save</Button>);
  button().focus();
  await show(<Button busy>Save</Button>);
  expect(document.activeElement).toBe(button());
  expect(button().getAttribute("aria-busy")).toBe("true");
  expect(button().getAttribute("aria-disabled")).toBe("true");
  await show(<Button>Save</Button>);
  expect(document.activeElement).toBe(button());
  expect(button().hasAttribute("aria-busy")).toBe(false);
  expect(button().hasAttribute("aria-disabled")).toBe(false);
});

test.each([
  ["busy", { busy: true }],
  ["off for now", { "aria-disabled": true }],
])("one that is %s takes no press, whatever it looks like", async (_, state) => {
  const pressed = vi.fn();
  await show(
    <Button {...state} onClick={pressed}>
      Save
    </Button>,
  );
  await press();
  await show(
    <IconButton {...state} label="Save" onClick={pressed}>
      .
    </IconButton>,
  );
  await press();
  await show(<BareButton {...state} onClick={pressed} />);
  await press();
  expect(pressed).not.toHaveBeenCalled();
  await show(<BareButton onClick={pressed} />);
  await press();
  expect(pressed).toHaveBeenCalledOnce();
});

test("a form is not submitted by its busy button; the press of Enter in a field is one of that button", async () => {
  const submitted = vi.fn((event: { preventDefault: () => void }) => event.preventDefault());
  const form = (busy: boolean) => (
    <form onSubmit={submitted}>
      <input />
      <Button type="submit" busy={busy}>
        Save
      </Button>
    </form>
  );
  await show(form(true));
  expect(button().disabled).toBe(false);
  await press();
  expect(submitted).not.toHaveBeenCalled();
  await show(form(false));
  await press();
  expect(submitted).toHaveBeenCalledOnce();
});
