import type { Words } from "../words";
import { checking } from "./checking";
import { common } from "./common";
import { failures } from "./failures";
import { mail } from "./mail";
import { session } from "./session";
import { settings } from "./settings";

export const vietnamese: Words = { tag: "vi", name: "Tiếng Việt", checking, common, failures, mail, session, settings };
