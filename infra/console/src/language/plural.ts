/** Counts in sentences: how they are written, and the words that they decide. */

export interface Counted {
  number: number;
  /** As people of the language write it. */
  written: string;
}

/** The count with the word that goes with it, in a language that tells one from many. */
export function plural({ number, written }: Counted, one: string, many: string): string {
  return `${written} ${number === 1 ? one : many}`;
}
