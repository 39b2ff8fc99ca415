/** What the API said instead of doing what was asked: in the person's language, with the mail server's own words. */
import { type ReactNode, useEffect, useRef } from "react";
import { ApiFailure } from "../api/client";
import { toldFailure, useWords } from "../language/language";
import { fieldProblems } from "./field-problems";
import { Box, Said } from "./layout";

interface Props {
  failure: unknown;
  /** What helps, where there is more to it than words. */
  children?: ReactNode;
}

export function FailureNote({ failure, children }: Props) {
  const words = useWords();
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (failure) place.current?.scrollIntoView({ block: "nearest" });
  }, [failure]);
  if (!failure) return null;
  const isMarked = Object.keys(fieldProblems(failure, words)).length > 0;
  const details = failure instanceof ApiFailure ? failure.details : {};
  const other = details.also as { code: string; message: string } | undefined;
  return (
    <div ref={place}>
      <Box tone="bad" live>
        <p>
          {directionOf(details) === "outgoing" ? `${words.settings.atOutgoing} ` : null}
          {isMarked ? words.settings.problems.marked : toldFailure(words, failure)}
        </p>
        {typeof details.server_said === "string" ? <Said>{details.server_said}</Said> : null}
        {other ? (
          <p>
            {words.settings.atOutgoing}{" "}
            {toldFailure(words, new ApiFailure(422, other.code, other.message, other as unknown as Details))}
          </p>
        ) : null}
        {children}
      </Box>
    </div>
  );
}

type Details = Record<string, unknown>;

function directionOf(details: Details): string | null {
  return typeof details.direction === "string" ? details.direction : null;
}
