import type { Words } from "../words";

export const mail: Words["mail"] = {};
