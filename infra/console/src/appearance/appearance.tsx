/** Language and theme, wherever they can be changed. */
import { languages, type Tag, useLanguage } from "../language/language";
import styles from "./appearance.module.css";
import { THEMES, type Theme, useTheme } from "./theme";

export function Appearance() {
  const { words, tag, speak } = useLanguage();
  const [theme, choose] = useTheme();
  return (
    <div className={styles.choices}>
      <select
        className={styles.choice}
        aria-label={words.common.language}
        value={tag}
        onChange={(event) => speak(event.target.value as Tag)}
      >
        {Object.values(languages).map((language) => (
          <option key={language.tag} value={language.tag} lang={language.tag}>
            {language.name}
          </option>
        ))}
      </select>
      <select
        className={styles.choice}
        aria-label={words.common.theme}
        value={theme}
        onChange={(event) => choose(event.target.value as Theme)}
      >
        {THEMES.map((one) => (
          <option key={one} value={one}>
            {words.common.themes[one]}
          </option>
        ))}
      </select>
    </div>
  );
}
