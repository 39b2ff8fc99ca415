/** The shape of a language: each area's words, the same keys in every language. */
import type { english } from "./english";

type Widened<T> = T extends string
  ? string
  : T extends (...given: infer Given) => string
    ? (...given: Given) => string
    : { [Key in keyof T]: Widened<T[Key]> };

export type Words = Widened<typeof english>;
