/** The fields of one of an account's servers. */
import type { ReactNode } from "react";
import type { Direction, Security } from "../api/accounts";
import { PasswordField, SelectField, TextField } from "../controls/field";
import { useWords } from "../language/language";
import { Box, Fields } from "./layout";
import styles from "./server-fields.module.css";
import { type Problems, SECURITIES, type ServerValues, withSecurity } from "./values";

interface Props {
  direction: Direction;
  server: ServerValues;
  onChange: (server: ServerValues) => void;
  problems: Problems;
  /** Whether a password is asked for here, and why. */
  password?: ReactNode;
}

export function ServerFields({ direction, server, onChange, problems, password = null }: Props) {
  const words = useWords().settings.server;
  return (
    <>
      <div className={styles.place}>
        <TextField
          label={words.host}
          inputMode="url"
          autoCapitalize="none"
          autoComplete="off"
          spellCheck={false}
          placeholder={direction === "incoming" ? "pop.example.com" : "smtp.example.com"}
          value={server.host}
          onChange={(event) => onChange({ ...server, host: event.target.value })}
          problem={problems[`${direction}.host`]}
        />
        <SelectField
          label={words.security}
          value={server.security}
          onChange={(event) => onChange(withSecurity(server, direction, event.target.value as Security))}
          problem={problems[`${direction}.security`]}
        >
          {SECURITIES.map((one) => (
            <option key={one} value={one}>
              {words.securities[one]}
            </option>
          ))}
        </SelectField>
        <TextField
          label={words.port}
          inputMode="numeric"
          autoComplete="off"
          value={server.port}
          onChange={(event) => onChange({ ...server, port: event.target.value })}
          problem={problems[`${direction}.port`]}
        />
      </div>
      {server.security === "none" ? (
        <Box tone="warn">
          <p>{words.unprotected}</p>
        </Box>
      ) : null}
      <Fields>
        <TextField
          label={words.username}
          autoCapitalize="none"
          autoComplete="off"
          spellCheck={false}
          value={server.username}
          onChange={(event) => onChange({ ...server, username: event.target.value })}
          problem={problems[`${direction}.username`]}
        />
        {password ? (
          <PasswordField
            label={words.password}
            hint={password === true ? undefined : password}
            autoComplete="off"
            value={server.password}
            onChange={(event) => onChange({ ...server, password: event.target.value })}
            problem={problems[`${direction}.password`]}
          />
        ) : null}
      </Fields>
    </>
  );
}
