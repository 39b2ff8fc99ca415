import { expect, test } from "vitest";
import { tellWhereLinksLead } from "./message-frame";

test("a link's tooltip is where it leads, whatever its sender has written", () => {
  const page = new DOMParser().parseFromString(
    `<a href="https://evil.example/" title="https://bank.example/"><b title="bank">Your <i title="x">bank</i></b></a>
     <map><area href="https://evil.example/map" title="https://bank.example/"></map>`,
    "text/html",
  );
  tellWhereLinksLead(page);
  const titles = [...page.querySelectorAll("[title]")].map((element) => element.getAttribute("title"));
  expect(titles).toEqual(["https://evil.example/", "https://evil.example/map"]);
});
