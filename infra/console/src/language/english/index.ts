import { checking } from "./checking";
import { common } from "./common";
import { failures } from "./failures";
import { mail } from "./mail";
import { session } from "./session";
import { settings } from "./settings";

export const english = { tag: "en", name: "English", checking, common, failures, mail, session, settings } as const;
